/**
 * Makes ECDSA P-256 certificates: a local CA, and server certificates signed by it.
 *
 * Decides what stands in them; when they are made is decided in certificates.ts.
 * The X.509 library is loaded only here and only when one is made: it costs 150 ms.
 */
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import type { CertificateName } from './certificate-names.ts';

/** A certificate and its private key (PKCS #8), both PEM. */
export interface CertificateAndKey {
  readonly certPem: string;
  readonly keyPem: string;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const caDays = 3_650;
/** Browsers refuse more than 398 days. */
const leafDays = 397;
const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Returns a new CA, valid for 10 years from an hour before `now` (ms since 1970), since clocks differ. */
export async function issueCa(now: number): Promise<CertificateAndKey> {
  const x509 = await loadLibrary();
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
  const notBefore = new Date(now - hourMs);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // No two CAs share a name: a client that trusts an older one must not take this for it.
    name: `CN=giraffe local CA ${randomBytes(4).toString('hex')}`,
    notBefore,
    notAfter: new Date(notBefore.getTime() + caDays * dayMs),
    keys,
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certPem: `${certificate.toString('pem')}\n`, keyPem: await exportKey(keys.privateKey) };
}

/** Returns a new server certificate, valid for 397 days from an hour before `now` (ms since 1970) but not beyond its CA. */
export async function issueServerCertificate(
  ca: CertificateAndKey,
  names: readonly CertificateName[],
  now: number,
): Promise<CertificateAndKey> {
  const x509 = await loadLibrary();
  const issuer = new x509.X509Certificate(ca.certPem);
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
  const notBefore = new Date(now - hourMs);
  const notAfter = new Date(Math.min(notBefore.getTime() + leafDays * dayMs, issuer.notAfter.getTime()));
  const caKey = createPrivateKey(ca.keyPem).export({ type: 'pkcs8', format: 'der' });
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=giraffe edge',
    issuer: issuer.subject,
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', caKey, keyAlgorithm, false, ['sign']),
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map(({ type, value }) => ({ type, value }))),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certPem: `${certificate.toString('pem')}\n`, keyPem: await exportKey(keys.privateKey) };
}

async function loadLibrary(): Promise<typeof import('@peculiar/x509')> {
  // The library needs it to be there first.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  const pem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' });
  return pem.toString();
}
