/** Checks of the certificate files of an edge on this machine. What its ports really show is another check's business. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { certificateBlocks } from '../state/certificate-files.ts';
import { ensureServerCertificate } from '../state/certificates.ts';
import { caCertificateFile, caKeyFile, serverCertificateFile, serverKeyFile } from '../state/local-files.ts';
import { openStateFolder } from '../state/state-folder.ts';
import type { CheckId } from './catalogue.ts';
import { type Check, type Finding, failed, ok, warning } from './check.ts';
import type { EdgeSubject } from './subject.ts';

const dayMs = 86_400_000;
/** A certificate with fewer days left deserves a warning; the edge makes its own anew then. */
const minDays = 30;

interface Files {
  /** The certificate of the edge first. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
  readonly keyPem: string;
}

/** The checks of one edge's certificate. */
export class CertificateChecks {
  readonly #edge: EdgeSubject;
  readonly #now: () => number;
  /** What the first check has read; the others need it. */
  #files: Files | undefined;
  #renewal: Promise<string> | undefined;

  constructor(edge: EdgeSubject, now: () => number) {
    this.#edge = edge;
    this.#now = now;
  }

  checks(): [CheckId, Check][] {
    return [
      ['certificate-files', () => this.#read()],
      ['certificate-key', async () => this.#judge((files) => this.#key(files))],
      ['certificate-chain', async () => this.#judge((files) => this.#chain(files))],
      ['certificate-dates', async () => this.#judge((files) => this.#dates(files))],
      ['certificate-names', async () => this.#judge((files) => this.#names(files))],
    ];
  }

  async #read(): Promise<Finding> {
    const { tls, stateDir } = this.#edge;
    const [certPath, keyPath] = tls === undefined ? this.#ownPaths() : [tls.cert, tls.key];
    const [certPem, keyPem] = await Promise.all([readPem(certPath), readPem(keyPath)]);
    if (tls === undefined && certPem instanceof Error && certPem.code === 'ENOENT') {
      const finding = warning(`${stateDir} holds no server certificate yet`, 'Start the edge, which makes one.');
      return { ...finding, blocks: true };
    }
    for (const [path, text] of [[certPath, certPem] as const, [keyPath, keyPem] as const]) {
      if (text instanceof Error)
        return failed(`${path} cannot be read (${text.code})`, undefined, 'GIR_ERR_CERTIFICATE');
    }
    const own = tls === undefined ? await readPem(join(stateDir, caCertificateFile)) : '';
    const [leaf, ...rest] = [String(certPem), typeof own === 'string' ? own : ''].flatMap(certificatesOf);
    if (leaf === undefined) return failed(`${certPath} holds no usable certificate`, undefined, 'GIR_ERR_CERTIFICATE');
    this.#files = { chain: [leaf, ...rest], keyPem: String(keyPem) };
    return ok(certPath);
  }

  /** After a repair the files are others. */
  async #judge(judge: (files: Files) => Finding): Promise<Finding> {
    if (this.#renewal !== undefined) await this.#read();
    return this.#files === undefined ? failed('there is no certificate') : judge(this.#files);
  }

  #key({ chain: [leaf], keyPem }: Files): Finding {
    try {
      if (leaf.checkPrivateKey(createPrivateKey(keyPem))) return ok('belongs to the certificate');
    } catch {
      return this.#repairable(failed('the key file holds no usable private key', undefined, 'GIR_ERR_CERTIFICATE'));
    }
    return this.#repairable(failed('the key is that of another certificate', undefined, 'GIR_ERR_CERTIFICATE'));
  }

  #chain({ chain }: Files): Finding {
    for (const [index, certificate] of chain.entries()) {
      const issuer = chain[index + 1];
      if (issuer === undefined || isIssuedBy(certificate, issuer)) continue;
      const finding = failed(
        `${commonName(certificate.subject)} is not signed by ${commonName(issuer.subject)}`,
        undefined,
        'GIR_ERR_CERTIFICATE',
      );
      return this.#repairable(finding);
    }
    const last = chain.at(-1) as X509Certificate;
    const length = `${chain.length} certificate${chain.length === 1 ? '' : 's'}`;
    if (this.#edge.tls === undefined) return ok(`${length}, up to our own CA`);
    if (rootCertificates.some((pem) => isIssuedBy(last, new X509Certificate(pem)))) return ok(`${length}, a public CA`);
    const issuer = isIssuedBy(last, last) ? 'self-signed' : `issued by ${commonName(last.issuer)}`;
    return ok(`${length}, ${issuer}: agents need it as --ca`);
  }

  #dates({ chain }: Files): Finding {
    const now = this.#now();
    const [first] = [...chain].sort((a, b) => Date.parse(a.validTo) - Date.parse(b.validTo));
    const until = Date.parse(first?.validTo ?? '');
    const days = Math.floor((until - now) / dayMs);
    const date = new Date(until).toISOString().slice(0, 10);
    const late = chain.find((certificate) => now < Date.parse(certificate.validFrom));
    if (late !== undefined) {
      return failed(
        `not valid before ${new Date(late.validFrom).toISOString()}`,
        "Check this machine's clock.",
        'GIR_ERR_CERTIFICATE',
      );
    }
    const next = this.#edge.tls === undefined ? 'Restart the edge, which makes a new one, or use --fix.' : undefined;
    if (until <= now) return this.#repairable(failed(`expired on ${date}`, next, 'GIR_ERR_CERTIFICATE'));
    if (days < minDays) return this.#repairable(warning(`expires on ${date}, in ${days} days`, next));
    return ok(`valid until ${date}, ${days} days`);
  }

  #names({ chain: [leaf] }: Files): Finding {
    const missing = this.#edge.calledBy.filter((name) => !covers(leaf, name));
    const has = (leaf.subjectAltName ?? 'no name at all').replace(/DNS:|IP Address:/g, '');
    if (missing.length === 0) return ok(this.#edge.calledBy.join(', ') || has);
    const [own, next] =
      this.#edge.tls === undefined ? [true, 'Restart the edge with --public-host, or use --fix.'] : [false, undefined];
    const finding = failed(`not for ${missing.join(', ')}, but for ${has}`, next, 'GIR_ERR_CERTIFICATE');
    return own ? this.#repairable(finding) : finding;
  }

  /** Our own certificate is made anew, as the next start of the edge would, unless that took a new CA: agents pin it. */
  #repairable(finding: Finding): Finding {
    if (this.#edge.tls !== undefined) return finding;
    return {
      ...finding,
      repair: () => {
        this.#renewal ??= this.#renew();
        return this.#renewal;
      },
    };
  }

  async #renew(): Promise<string> {
    const { stateDir, names } = this.#edge;
    await this.#assertCaServes();
    await using folder = await openStateFolder(stateDir);
    const made = await ensureServerCertificate(folder, { names, now: this.#now });
    return `made a new server certificate, valid until ${made.notAfter.toISOString().slice(0, 10)}; an edge that runs takes it with SIGHUP`;
  }

  async #assertCaServes(): Promise<void> {
    const { stateDir } = this.#edge;
    const [certPem, keyPem] = await Promise.all(
      [caCertificateFile, caKeyFile].map((name) => readFile(join(stateDir, name), 'utf8')),
    );
    const ca = new X509Certificate(certPem ?? '');
    const isSound = ca.checkPrivateKey(createPrivateKey(keyPem ?? ''));
    if (isSound && this.#now() + minDays * dayMs <= Date.parse(ca.validTo)) return;
    throw new GiraffeError(
      'GIR_ERR_CERTIFICATE',
      'it takes a new CA, which every agent has to be told; restart the edge to have one made',
    );
  }

  #ownPaths(): readonly [string, string] {
    const { stateDir } = this.#edge;
    return [join(stateDir, serverCertificateFile), join(stateDir, serverKeyFile)];
  }
}

async function readPem(path: string): Promise<string | NodeJS.ErrnoException> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error);
}

function certificatesOf(pem: string): X509Certificate[] {
  try {
    return certificateBlocks(pem).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Tells whether a certificate is for a host name or an address. */
function covers(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;
}

/** The name of a subject or issuer, for people. */
function commonName(name: string): string {
  return /^CN=(.*)$/m.exec(name)?.[1] ?? name.replaceAll('\n', ', ');
}
