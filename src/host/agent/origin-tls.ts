/** Decides how the agent verifies https origins: reads the CA files that settings name, each once. */
import { type OriginTls, systemOriginTls } from '../../agent/agent-options.ts';
import { readPemFile } from './pem-file.ts';

/** What is set about https origins, for one tunnel or for all. */
export interface OriginTlsSettings {
  /** Absolute path, or one relative to the working folder, of a PEM file. */
  readonly originCa: string | undefined;
  readonly originInsecure: boolean;
  readonly originServerName: string | undefined;
}

/** Makes {@link OriginTls} of settings. Equal settings give the same object, so that their tunnels share connections. */
export class OriginTlsFiles {
  readonly #found = new Map<string, Promise<OriginTls>>();

  /**
   * Returns how to verify. No verification goes before a CA, as with the edge's certificate.
   *
   * @throws {GiraffeError} GIR_ERR_CERTIFICATE for a CA file that cannot be used.
   */
  find({ originCa, originInsecure, originServerName }: OriginTlsSettings): Promise<OriginTls> {
    const key = JSON.stringify([originCa, originInsecure, originServerName]);
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = readTrust(originCa, originInsecure).then((trust) => withServerName(trust, originServerName));
    this.#found.set(key, found);
    return found;
  }
}

async function readTrust(ca: string | undefined, isInsecure: boolean): Promise<OriginTls['trust']> {
  if (isInsecure) return { kind: 'insecure' };
  return ca === undefined
    ? { kind: 'system' }
    : { kind: 'ca', pem: await readPemFile(ca, '--origin-ca takes a PEM file') };
}

function withServerName(trust: OriginTls['trust'], serverName: string | undefined): OriginTls {
  if (serverName !== undefined) return { trust, serverName };
  return trust.kind === 'system' ? systemOriginTls : { trust };
}
