/**
 * Keeps a local CA and a server certificate signed by it in the state folder.
 *
 * Decides when either is made anew. The CA is what agents pin, so it is kept as
 * long as it can serve; the server certificate is replaced freely.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { type CertificateAndKey, issueCa, issueServerCertificate } from './certificate-issuer.ts';
import { type CertificateName, parseCertificateName } from './certificate-names.ts';
import { certificatePin } from './certificate-pin.ts';
import { caCertificateFile, caKeyFile, serverCertificateFile, serverKeyFile } from './local-files.ts';
import type { StateFolder } from './state-folder.ts';

/** A certificate with less than this left, 30 days, is made anew. */
const minRemainingMs = 30 * 86_400_000;

/** What a TLS server needs, and what its agents have to know. */
export interface ServerCertificate {
  /** The server's certificate followed by its CA, PEM. */
  readonly certPem: string;
  /** Private key, PKCS #8 PEM. Secret. */
  readonly keyPem: string;
  readonly caPem: string;
  /** `sha256:` and 64 hex digits: the pin to print. */
  readonly caFingerprint: string;
  readonly notAfter: Date;
}

/**
 * Returns the server certificate of a state folder, making it, and its CA, anew where needed.
 *
 * A new server certificate is made when it is missing, does not cover `names`, is not valid yet or has less than
 * 30 days left, does not match its key, or is not signed by the CA. A new CA is made, with a warning if there was
 * one before, when it cannot be used, has less than 30 days left, or has to sign and has lost its key.
 *
 * @param options.names Host names, wildcards with one label, and IP addresses; 1 or more.
 * @param options.now The wall clock, in milliseconds since 1970.
 * @throws {GiraffeError} GIR_ERR_STATE; GIR_ERR_CONFIG for a name that no certificate can hold.
 */
export async function ensureServerCertificate(
  folder: StateFolder,
  options: { readonly names: readonly string[]; readonly now: () => number },
): Promise<ServerCertificate> {
  const names = options.names.map(certificateName);
  if (names.length === 0) throw new GiraffeError('GIR_ERR_CONFIG', 'a server certificate needs at least one name');
  return folder.exclusive('certificates', async () => {
    const now = options.now();
    const oldCa = await readPair(folder, caCertificateFile, caKeyFile);
    const oldServer = await readPair(folder, serverCertificateFile, serverKeyFile);
    const caServes = oldCa.certificate?.ca === true && isFresh(oldCa.certificate, now);
    if (caServes && isServable(oldServer, oldCa.certificate, names, now)) {
      return serverCertificate(oldServer.certificate, oldServer.keyPem, oldCa.certificate);
    }
    const caPair = caServes && keyMatches(oldCa) ? pairOf(oldCa) : undefined;
    const ca = caPair ?? (await replaceCa(folder, oldCa, now));
    const server = await issueServerCertificate(ca, names, now);
    // Killed in between, the next start finds a key that does not match and makes both again.
    await folder.writeFile(serverKeyFile, server.keyPem);
    await folder.writeFile(serverCertificateFile, server.certPem);
    return serverCertificate(new X509Certificate(server.certPem), server.keyPem, new X509Certificate(ca.certPem));
  });
}

/** A certificate and its key as found: whatever cannot be parsed counts as missing. */
interface FoundPair {
  readonly exists: boolean;
  readonly certificate: X509Certificate | undefined;
  readonly key: KeyObject | undefined;
  readonly keyPem: string;
}

interface SoundPair extends FoundPair {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

async function readPair(folder: StateFolder, certificateName: string, keyName: string): Promise<FoundPair> {
  const certificateText = await folder.readFile(certificateName);
  const keyText = await folder.readFile(keyName);
  return {
    exists: certificateText !== undefined,
    certificate: certificateText && attempt(() => new X509Certificate(certificateText)),
    key: keyText && attempt(() => createPrivateKey(keyText)),
    keyPem: keyText?.toString('utf8') ?? '',
  };
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

function keyMatches(pair: FoundPair): pair is SoundPair {
  return pair.certificate !== undefined && pair.key !== undefined && pair.certificate.checkPrivateKey(pair.key);
}

function isFresh(certificate: X509Certificate, now: number): boolean {
  return now + minRemainingMs <= Date.parse(certificate.validTo);
}

function isServable(
  server: FoundPair,
  ca: X509Certificate,
  names: readonly CertificateName[],
  now: number,
): server is SoundPair {
  if (!keyMatches(server)) return false;
  const { certificate } = server;
  const signed = certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
  const valid = Date.parse(certificate.validFrom) <= now && isFresh(certificate, now);
  return signed && valid && names.every((name) => covers(certificate, name));
}

function covers(certificate: X509Certificate, name: CertificateName): boolean {
  if (name.type === 'ip') return certificate.checkIP(name.value) !== undefined;
  return (certificate.subjectAltName ?? '').split(', ').includes(`DNS:${name.value}`);
}

async function replaceCa(folder: StateFolder, old: FoundPair, now: number): Promise<CertificateAndKey> {
  if (old.exists) {
    await folder.moveAside(caCertificateFile, 'it is expired, damaged or without its key');
    folder.warn(caCertificateFile, 'a new local CA was made: agents elsewhere need its new fingerprint or file');
  }
  const ca = await issueCa(now);
  await folder.writeFile(caKeyFile, ca.keyPem);
  await folder.writeFile(caCertificateFile, ca.certPem);
  return ca;
}

function pairOf(pair: SoundPair): CertificateAndKey {
  return { certPem: pair.certificate.toString(), keyPem: pair.keyPem };
}

function serverCertificate(server: X509Certificate, keyPem: string, ca: X509Certificate): ServerCertificate {
  const caPem = ca.toString();
  return {
    certPem: `${server.toString()}${caPem}`,
    keyPem,
    caPem,
    caFingerprint: certificatePin(ca.raw),
    notAfter: new Date(server.validTo),
  };
}

function certificateName(name: string): CertificateName {
  const parsed = parseCertificateName(name);
  if (parsed !== undefined) return parsed;
  throw new GiraffeError('GIR_ERR_CONFIG', `${JSON.stringify(name)} is no host name or IP address for a certificate`);
}
