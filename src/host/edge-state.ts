/** Opens what an edge keeps: its folder, tokens, certificate and known endpoints; makes what is missing. */
import { hostname, networkInterfaces } from 'node:os';
import type { EdgeSettings } from '../config/edge-settings.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { loadServerCertificate } from '../state/certificate-files.ts';
import { defaultCertificateNames } from '../state/certificate-names.ts';
import { ensureServerCertificate } from '../state/certificates.ts';
import { type KnownEndpoints, openKnownEndpoints } from '../state/known-endpoints.ts';
import { openStateFolder } from '../state/state-folder.ts';
import { openTokenStore, type TokenStore } from '../state/token-store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Lifetimes } from './lifetimes.ts';

/** How often the token files are looked at: a revoked token has to end within a second. */
const tokenRefreshMs = 500;

/** A certificate to serve with. */
export interface EdgeCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  /** Pin of our own CA; undefined when the operator supplied the certificate. */
  readonly caFingerprint: string | undefined;
}

/** The open state of an edge. */
export interface EdgeState {
  /** Absolute path of the folder. */
  readonly path: string;
  readonly tokens: TokenStore;
  readonly knownEndpoints: KnownEndpoints;
  /** Secret of the first token, when it was made just now. */
  readonly firstToken: string | undefined;
  /** Reads, or makes anew, the certificate that settings ask for; also for a reload. */
  certificate(settings: EdgeSettings): Promise<EdgeCertificate>;
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
    certificate: async (wanted) => {
      const supplied = suppliedFiles(wanted);
      if (supplied !== undefined) {
        return { ...(await loadServerCertificate(supplied.cert, supplied.key)), caFingerprint: undefined };
      }
      return ensureServerCertificate(folder, { names: certificateNames(wanted), now: Date.now });
    },
  };
}

function suppliedFiles({ tlsCert, tlsKey }: EdgeSettings): { cert: string; key: string } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert !== undefined && tlsKey !== undefined) return { cert: tlsCert, key: tlsKey };
  throw new GiraffeError(
    'GIR_ERR_CONFIG',
    '--tls-cert and --tls-key are needed together (GIRAFFE_TLS_CERT, GIRAFFE_TLS_KEY)',
  );
}

function certificateNames({ baseDomain, publicHost, host }: EdgeSettings): string[] {
  const interfaces = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const addresses = interfaces.filter((entry) => !entry.internal).map((entry) => entry.address);
  const extra = [publicHost, host].filter((name) => name !== undefined);
  return defaultCertificateNames({ baseDomain, hostname: hostname(), addresses: [...extra, ...addresses] });
}
