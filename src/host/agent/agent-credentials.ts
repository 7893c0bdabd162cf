/** Finds the token an agent shows to the edge, and decides how it trusts the edge's certificate. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import type { ClientCertificate, EdgeTrust } from '../../agent/agent-options.ts';
import type { AgentSettings } from '../../config/agent-settings.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { isLoopbackAddress, isLoopbackName } from '../../http/loopback.ts';
import { loadServerCertificate } from '../../state/certificate-files.ts';
import { looksLikePin, parsePin } from '../../state/certificate-pin.ts';
import { readAgentToken, readCaCertificate } from '../../state/local-files.ts';
import { systemCode } from '../../state/state-error.ts';
import { readPemFile } from './pem-file.ts';

/** Longest token that is read from stdin or a file, in characters; longer than any the edge accepts. */
const maxTokenLength = 8_192;

/** Where a token may come from. */
export interface TokenSources {
  /** Reads stdin to its end. */
  readStdin(): Promise<string>;
  readonly stateDir: string;
}

/**
 * Returns the token: the one that is set, else that in the file that is set, else none (an empty text) when a certificate
 * is set, else the one that an edge left in the state folder.
 *
 * @throws {GiraffeError} GIR_ERR_CONFIG when there is none, or a file or stdin does not hold one.
 */
export async function findToken(
  settings: Pick<AgentSettings, 'token' | 'tokenFile' | 'clientCert'>,
  sources: TokenSources,
): Promise<string> {
  const { tokenFile } = settings;
  const token = settings.token?.reveal();
  if (token === '-') return onlyToken(await sources.readStdin(), 'stdin');
  if (token !== undefined) return onlyToken(token, '--token, GIRAFFE_TOKEN or agent.token');
  if (tokenFile !== undefined) return onlyToken(await readTokenFile(tokenFile), tokenFile);
  if (settings.clientCert !== undefined) return '';
  const left = await readAgentToken(sources.stateDir);
  if (left !== undefined) return left;
  throw new GiraffeError(
    'GIR_ERR_CONFIG',
    'there is no token: GIRAFFE_TOKEN and --token-file are not set, and no edge of this machine has left one in --state-dir ' +
      `${sources.stateDir}. Start an edge here with \`giraffe server start\`, or paste the line that one elsewhere printed`,
  );
}

/**
 * Returns the certificate the agent shows to the edge; undefined when none is set.
 *
 * @throws {GiraffeError} GIR_ERR_CONFIG for one setting without the other; GIR_ERR_CERTIFICATE for files that do not do.
 */
export async function findClientCertificate(
  settings: Pick<AgentSettings, 'clientCert' | 'clientKey'>,
): Promise<ClientCertificate | undefined> {
  const { clientCert, clientKey } = settings;
  if (clientCert === undefined && clientKey === undefined) return undefined;
  if (clientCert !== undefined && clientKey !== undefined) return loadServerCertificate(clientCert, clientKey);
  throw new GiraffeError(
    'GIR_ERR_CONFIG',
    '--client-cert and --client-key are needed together (GIRAFFE_CLIENT_CERT, GIRAFFE_CLIENT_KEY)',
  );
}

/** Decides how to trust the edge. Throws GIR_ERR_CERTIFICATE, GIR_ERR_CONFIG or GIR_ERR_STATE for a CA that cannot be used. */
export async function findTrust(
  settings: Pick<AgentSettings, 'ca' | 'insecure' | 'server'>,
  stateDir: string,
): Promise<EdgeTrust> {
  if (settings.insecure) return { kind: 'insecure' };
  if (settings.ca !== undefined) {
    return looksLikePin(settings.ca)
      ? { kind: 'pin', pin: parsePin(settings.ca) }
      : { kind: 'ca', pem: await readPemFile(settings.ca, '--ca takes a PEM file or sha256: and 64 hex digits') };
  }
  // The CA in the state folder is this machine's edge's, and may vouch for no other.
  const pem = isThisMachine(settings.server.host) ? await readCaCertificate(stateDir) : undefined;
  return pem === undefined ? { kind: 'system' } : { kind: 'ca', pem };
}

/** Tells whether a host is this machine: a loopback name or address, its host name, or an address of an interface. */
export function isThisMachine(host: string): boolean {
  const name = host.toLowerCase();
  if (isLoopbackName(name) || isLoopbackAddress(name) || name === hostname().toLowerCase()) return true;
  if (isIP(name) === 0) return false;
  const own = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return own.some((entry) => entry.address === name);
}

function onlyToken(text: string, source: string): string {
  const token = text.trim();
  if (token !== '' && token.length <= maxTokenLength && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new GiraffeError('GIR_ERR_CONFIG', `${source} does not hold a token such as grf_…`);
}

async function readTokenFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new GiraffeError(
      'GIR_ERR_CONFIG',
      `the token file ${path} cannot be read (${systemCode(cause) ?? 'unknown reason'})`,
      { cause },
    );
  }
}
