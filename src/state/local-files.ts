/**
 * What the edge leaves in its state folder for programs of the same user on the same machine.
 *
 * The agent and the commands read it here, by path: they never make the folder.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { stateError, systemCode } from './state-error.ts';
import { findByHash, hashSecret, isSecret, type SecretPrefix, type TokenRecord, tokensFormat } from './token-format.ts';

/** File with the plain text of the first token. */
export const agentTokenFile = 'agent-token';
/** File with the plain text of the API's admin token. */
export const adminTokenFile = 'admin-token';
/** File with the certificate of the local CA. */
export const caCertificateFile = 'ca.pem';
/** File with the key of the local CA. */
export const caKeyFile = 'ca-key.pem';
/** Files with the server certificate that the local CA has signed, and with its key. */
export const serverCertificateFile = 'server.pem';
export const serverKeyFile = 'server-key.pem';
/** File with the records of the tokens. */
export const tokensFile = 'tokens.json';

/** Returns the secret of the agent's token in a state folder; undefined when there is none. Throws GIR_ERR_STATE. */
export async function readAgentToken(folder: string): Promise<string | undefined> {
  return readSecret(folder, agentTokenFile, 'grf');
}

/** Returns the API's admin token in a state folder; undefined when there is none. Throws GIR_ERR_STATE. */
export async function readAdminToken(folder: string): Promise<string | undefined> {
  return readSecret(folder, adminTokenFile, 'gra');
}

/** Returns the PEM of the local CA in a state folder; undefined when there is none. Throws GIR_ERR_STATE. */
export async function readCaCertificate(folder: string): Promise<string | undefined> {
  return readText(join(folder, caCertificateFile));
}

/**
 * Returns the record of a token in a state folder, expired or not; undefined when the folder does not know it. Changes
 * nothing: a damaged file stays where it is.
 *
 * @throws {GiraffeError} GIR_ERR_STATE when the records cannot be read.
 */
export async function findTokenRecord(folder: string, secret: string): Promise<TokenRecord | undefined> {
  const path = join(folder, tokensFile);
  const text = await readText(path);
  if (text === undefined) return undefined;
  let records: readonly TokenRecord[];
  try {
    records = tokensFormat.parse(JSON.parse(text)).tokens;
  } catch {
    // The parser's message quotes the text.
    throw new GiraffeError('GIR_ERR_STATE', `cannot use ${path}: it is damaged, so no token is valid`);
  }
  const candidates = records.map((record) => ({ record, hash: Buffer.from(record.sha256, 'hex') }));
  return findByHash(candidates, hashSecret(secret))?.record;
}

async function readSecret(folder: string, name: string, prefix: SecretPrefix): Promise<string | undefined> {
  const path = join(folder, name);
  const secret = (await readText(path))?.trim();
  if (secret === undefined || isSecret(prefix, secret)) return secret;
  throw new GiraffeError(
    'GIR_ERR_STATE',
    `cannot use ${path}: it does not hold a ${prefix}_… token. Remove it and restart the edge, or pass the token itself.`,
  );
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw stateError('read', path, error);
  }
}
