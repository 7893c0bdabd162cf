/**
 * What the certificate source `acme` keeps in the state folder: its account, and certificates with their keys.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import type { ExtensionContext, PemCertificate } from '../../extension/index.ts';
import { type JsonFormat, openStateFolder, type StateFolder } from '../../state/state-folder.ts';

/** An account: the CA knows it by its key, and names it by a URL. Kept together, since either is of no use alone. */
export interface AcmeAccountKey {
  readonly keyPem: string;
  readonly url: string;
}

const account = z.object({ keyPem: z.string(), url: z.url() });
const accountFormat: JsonFormat<AcmeAccountKey> = { version: 1, parse: (json) => account.parse(json) };

/** A certificate that is kept, and how long it is good. */
export interface KeptCertificate extends PemCertificate {
  /** In milliseconds since 1970. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** The files of one CA. */
export class AcmeFiles implements AsyncDisposable {
  readonly #folder: StateFolder;

  private constructor(folder: StateFolder) {
    this.#folder = folder;
  }

  /** Opens the folder; what one CA has signed is of no use with another one. @throws {GiraffeError} GIR_ERR_STATE. */
  static async open({ stateDir, logger }: ExtensionContext, directoryUrl: string): Promise<AcmeFiles> {
    const ca = createHash('sha256').update(directoryUrl).digest('hex').slice(0, 16);
    const onWarning = (warning: { path: string; message: string }): void =>
      logger.warn({ path: warning.path, detail: warning.message }, 'state folder');
    return new AcmeFiles(await openStateFolder(join(stateDir, 'acme', ca), { onWarning }));
  }

  /** Returns the account at the CA, which `open` opens the first time. */
  async account(open: () => Promise<AcmeAccountKey>): Promise<AcmeAccountKey> {
    return this.#folder.exclusive('account', async () => {
      const kept = await this.#folder.readJson('account.json', accountFormat);
      if (kept !== undefined) return kept;
      const opened = await open();
      await this.#folder.writeFile('account.json', `${JSON.stringify({ v: 1, ...opened })}\n`);
      return opened;
    });
  }

  /** Returns the certificate kept for a name; undefined when there is none that can be read. */
  async read(name: string): Promise<KeptCertificate | undefined> {
    const [certificate, key] = await Promise.all([
      this.#folder.readFile(`${name}.pem`),
      this.#folder.readFile(`${name}-key.pem`),
    ]);
    return certificate === undefined || key === undefined
      ? undefined
      : keptCertificate(String(certificate), String(key));
  }

  /** Keeps a certificate. Its key goes first: a key without its certificate is asked for again, the reverse is no pair. */
  async write(name: string, { certPem, keyPem }: PemCertificate): Promise<void> {
    await this.#folder.writeFile(`${name}-key.pem`, keyPem);
    await this.#folder.writeFile(`${name}.pem`, certPem);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** Returns a certificate with its times; undefined when it does not belong to the key, or is none. */
export function keptCertificate(certPem: string, keyPem: string): KeptCertificate | undefined {
  try {
    const leaf = new X509Certificate(certPem);
    if (!leaf.checkPrivateKey(createPrivateKey(keyPem))) return undefined;
    return { certPem, keyPem, validFromMs: Date.parse(leaf.validFrom), validToMs: Date.parse(leaf.validTo) };
  } catch {
    return undefined;
  }
}
