/** Certificates for tests, made with the library that the edge uses itself: a CA of agents and what it signs, and self-signed ones. */
import { createPrivateKey, webcrypto } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { issueCa } from '../../src/state/certificate-issuer.ts';

const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const dayMs = 86_400_000;

/** A certificate and its key, PEM. */
export interface IssuedCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** What to put into a certificate. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly names?: readonly { readonly type: 'dns' | 'email' | 'url'; readonly value: string }[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A CA of agents, and the file it is in. */
export interface ClientCa extends AsyncDisposable {
  readonly certPem: string;
  readonly file: string;
  issue(request: CertificateRequest): Promise<IssuedCertificate>;
}

/** Makes a CA; disposing of it removes its file. */
export async function createClientCa(): Promise<ClientCa> {
  const ca = await issueCa(Date.now());
  const folder = await mkdtemp(join(tmpdir(), 'giraffe-client-ca-'));
  const file = join(folder, 'ca.pem');
  await writeFile(file, ca.certPem);
  return {
    certPem: ca.certPem,
    file,
    issue: (request) => issue(ca, request),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** Makes a certificate of a server that signed itself, as `openssl req -x509` does. */
export async function createSelfSigned(dnsName: string): Promise<IssuedCertificate> {
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${dnsName}`,
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + dayMs),
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: dnsName }])],
  });
  return { certPem: certificate.toString('pem'), keyPem: await keyPemOf(keys.privateKey) };
}

async function keyPemOf(privateKey: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ type: 'pkcs8', format: 'pem' })
    .toString();
}

async function issue(ca: IssuedCertificate, request: CertificateRequest): Promise<IssuedCertificate> {
  const { commonName, names = [], notBefore = new Date(Date.now() - dayMs) } = request;
  const keys = await webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
  const caKey = createPrivateKey(ca.keyPem).export({ type: 'pkcs8', format: 'der' });
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${commonName}`,
    issuer: new x509.X509Certificate(ca.certPem).subject,
    notBefore,
    notAfter: request.notAfter ?? new Date(Date.now() + dayMs),
    publicKey: keys.publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', caKey, keyAlgorithm, false, ['sign']),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])]),
    ],
  });
  return { certPem: certificate.toString('pem'), keyPem: await keyPemOf(keys.privateKey) };
}
