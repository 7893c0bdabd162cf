/**
 * Reads a certificate and a key that the operator of an edge or an agent supplies, and says plainly what is wrong with them.
 *
 * Changes nothing on disk. No message quotes what a file holds.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { systemCode } from './state-error.ts';

/** A checked certificate of the operator. */
export interface SuppliedCertificate {
  /** The certificates of the file, the one of the key first, PEM. Nothing else that the file may hold. */
  readonly certPem: string;
  /** The key file as it is, PEM. Secret. */
  readonly keyPem: string;
  readonly notAfter: Date;
}

const keyBlock = /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/;
const encryptedKey = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/**
 * Returns the certificate chain and key in two files, or in one that holds both.
 *
 * @param now The wall clock, in milliseconds since 1970.
 * @throws {GiraffeError} GIR_ERR_CERTIFICATE naming the file, what is wrong and what to do: missing, not readable,
 *   not PEM, encrypted, not belonging together, expired or not valid yet.
 */
export async function loadServerCertificate(
  certFile: string,
  keyFile: string,
  now: () => number = Date.now,
): Promise<SuppliedCertificate> {
  const blocks = certificateBlocks(await readPem(certFile));
  const [leaf] = blocks.map((block) => parseCertificate(certFile, block));
  if (leaf === undefined) {
    throw fault(certFile, 'holds no PEM certificate', 'Pass a file that begins with -----BEGIN CERTIFICATE-----.');
  }
  const keyPem = await readPem(keyFile);
  if (!leaf.checkPrivateKey(parseKey(keyFile, keyPem))) {
    throw fault(keyFile, `is not the key of ${certFile}`, 'Put the certificate of that key first.');
  }
  assertValid(certFile, leaf, now());
  const certPem = `${blocks.join('\n')}\n`;
  try {
    createSecureContext({ cert: certPem, key: keyPem });
  } catch (error) {
    const reason = error instanceof Error && 'reason' in error ? String(error.reason) : 'unknown reason';
    throw fault(certFile, `is refused by TLS (${reason})`, 'Have it issued again with a key TLS accepts today.', error);
  }
  return { certPem, keyPem, notAfter: new Date(leaf.validTo) };
}

/** Returns the certificates in a PEM text, each as a text. */
export function certificateBlocks(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') throw fault(path, 'does not exist', 'Check the path.', error);
    if (code === 'EISDIR') throw fault(path, 'is a folder', 'Pass a file in it.', error);
    throw fault(path, `cannot be read (${code ?? 'unknown reason'})`, 'Check its owner and mode.', error);
  }
}

function parseCertificate(path: string, block: string): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch (error) {
    throw fault(path, 'holds a damaged certificate', 'Copy it again, whole, from where it was issued.', error);
  }
}

function parseKey(path: string, pem: string): KeyObject {
  if (!keyBlock.test(pem)) {
    throw fault(path, 'holds no PEM private key', 'Pass a file that begins with -----BEGIN PRIVATE KEY-----.');
  }
  if (encryptedKey.test(pem)) {
    throw fault(path, 'is protected by a passphrase', 'Decrypt it with `openssl pkey`, and restrict its mode to 0600.');
  }
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw fault(path, 'holds a damaged private key', 'Copy it again, whole, from where it was made.', error);
  }
}

function assertValid(path: string, certificate: X509Certificate, now: number): void {
  if (Date.parse(certificate.validTo) <= now) {
    throw fault(path, `expired on ${certificate.validTo}`, 'Renew the certificate.');
  }
  if (now < Date.parse(certificate.validFrom)) {
    throw fault(path, `is not valid before ${certificate.validFrom}`, "Check this machine's clock.");
  }
}

function fault(path: string, what: string, next: string, cause?: unknown): GiraffeError {
  return new GiraffeError('GIR_ERR_CERTIFICATE', `${path} ${what}. ${next}`, { cause });
}
