/** Opens what an edge keeps: its folder, tokens, certificate and known endpoints; makes what is missing. */
import { hostname, networkInterfaces } from 'node:os';
import { type EdgeSettings, edgeSettings } from '../../config/edge-settings.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { loadServerCertificate } from '../../state/certificate-files.ts';
import { defaultCertificateNames } from '../../state/certificate-names.ts';
import { ensureServerCertificate } from '../../state/certificates.ts';
import { type KnownEndpoints, openKnownEndpoints } from '../../state/known-endpoints.ts';
import { openStateFolder } from '../../state/state-folder.ts';
import { openTokenStore, type TokenStore } from '../../state/token-store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Lifetimes } from '../lifecycle/lifetimes.ts';

/** How often the token files are looked at: a revoked token has to end within a second. */
const tokenRefreshMs = 500;

/** A certificate to serve with. */
export interface EdgeCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  /** Pin of our own CA; undefined when the operator supplied the certificate. */
  readonly caFingerprint: string | undefined;
}

/** The certificates of an edge's ports. */
export interface EdgeCertificates {
  readonly tunnels: EdgeCertificate;
  /** Undefined for a proxy port that speaks plain HTTP. */
  readonly proxy: Omit<EdgeCertificate, 'caFingerprint'> | undefined;
}

/** The open state of an edge. */
export interface EdgeState {
  /** Absolute path of the folder. */
  readonly path: string;
  readonly tokens: TokenStore;
  readonly knownEndpoints: KnownEndpoints;
  /** Secret of the first token, when it was made just now. */
  readonly firstToken: string | undefined;
  /** Reads, or makes anew, the certificates that settings ask for; also for a reload. */
  certificates(settings: EdgeSettings): Promise<EdgeCertificates>;
}

/**
 * Opens the state of an edge; `lifetimes` closes it.
 *
 * @throws {GiraffeError} GIR_ERR_STATE.
 */
export async function openEdgeState(path: string, logger: Logger, lifetimes: Lifetimes): Promise<EdgeState> {
  const onWarning = (warning: { readonly path: string; readonly message: string }) =>
    logger.warn({ path: warning.path, detail: warning.message }, 'state folder');
  const folder = lifetimes.use(await openStateFolder(path, { onWarning }));
  const tokens = await openTokenStore(folder);
  const first = await tokens.ensureFirstToken();
  await tokens.ensureAdminToken();
  const timer = setInterval(() => void tokens.refresh(), tokenRefreshMs);
  lifetimes.defer(() => clearInterval(timer));
  const knownEndpoints = lifetimes.use(await openKnownEndpoints(folder));
  return {
    path: folder.path,
    tokens,
    knownEndpoints,
    firstToken: first?.secret,
    certificates: async (wanted) => {
      const supplied = suppliedFiles(wanted, 'tls');
      const tunnels =
        supplied === undefined
          ? await ensureServerCertificate(folder, { names: certificateNames(wanted), now: Date.now })
          : { ...(await loadServerCertificate(supplied.cert, supplied.key)), caFingerprint: undefined };
      return { tunnels, proxy: await proxyCertificate(wanted, tunnels) };
    },
  };
}

async function proxyCertificate(settings: EdgeSettings, usual: EdgeCertificate): Promise<EdgeCertificates['proxy']> {
  const supplied = suppliedFiles(settings, 'proxyTls');
  if (settings.proxyTls) return supplied === undefined ? usual : loadServerCertificate(supplied.cert, supplied.key);
  if (supplied === undefined) return undefined;
  throw new GiraffeError('GIR_ERR_CONFIG', '--proxy-tls-cert and --proxy-tls-key are of use only with --proxy-tls');
}

function suppliedFiles(settings: EdgeSettings, which: 'tls' | 'proxyTls'): { cert: string; key: string } | undefined {
  const cert = settings[`${which}Cert`];
  const key = settings[`${which}Key`];
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key };
  const names = [edgeSettings[`${which}Cert`], edgeSettings[`${which}Key`]];
  const flags = names.map(({ flag }) => `--${flag}`).join(' and ');
  throw new GiraffeError('GIR_ERR_CONFIG', `${flags} are needed together (${names.map(({ env }) => env).join(', ')})`);
}

/** Returns the names that the certificate of our own is made for. */
export function certificateNames({ baseDomain, publicHost, host }: EdgeSettings): string[] {
  const interfaces = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const addresses = interfaces.filter((entry) => !entry.internal).map((entry) => entry.address);
  const extra = [publicHost, host].filter((name) => name !== undefined);
  return defaultCertificateNames({ baseDomain, hostname: hostname(), addresses: [...extra, ...addresses] });
}
