import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { loadServerCertificate } from '../../src/state/certificate-files.ts';
import { type CertificateAndKey, issueCa, issueServerCertificate } from '../../src/state/certificate-issuer.ts';
import { createTemporaryFolder } from './temporary-folder.ts';

const dayMs = 86_400_000;
const issuedAt = Date.parse('2030-01-01T00:00:00Z');
let ca: CertificateAndKey;
let leaf: CertificateAndKey;

beforeAll(async () => {
  ca = await issueCa(issuedAt);
  leaf = await issueServerCertificate(ca, [{ type: 'dns', value: 'localhost' }], issuedAt);
});

async function filesOf(cert: string, key: string): Promise<[string, string]> {
  const folder = await createTemporaryFolder();
  const paths: [string, string] = [join(folder, 'the-cert.pem'), join(folder, 'the-key.pem')];
  await writeFile(paths[0], cert);
  await writeFile(paths[1], key);
  return paths;
}

it('returns the chain, the key and the last instant of a sound pair', async () => {
  const [cert, key] = await filesOf(`Subject: x\n${leaf.certPem}${ca.certPem}`, leaf.keyPem);
  expect(await loadServerCertificate(cert, key, () => issuedAt)).toEqual({
    certPem: `${leaf.certPem}${ca.certPem}`,
    keyPem: leaf.keyPem,
    notAfter: new Date(issuedAt - 3_600_000 + 397 * dayMs),
  });
});

it('takes one file that holds both, and returns no key among the certificates', async () => {
  const [both] = await filesOf(`${leaf.keyPem}${leaf.certPem}`, '');
  const loaded = await loadServerCertificate(both, both, () => issuedAt);
  expect(loaded.certPem).toBe(leaf.certPem);
});

const encrypted = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
}).privateKey;

it.each<[string, () => [cert: string, key: string], number, RegExp]>([
  ['an empty certificate file', () => ['', leaf.keyPem], 0, /the-cert\.pem holds no PEM certificate/],
  ['files given the wrong way round', () => [leaf.keyPem, leaf.certPem], 0, /the-cert\.pem holds no PEM certificate/],
  [
    'a damaged certificate',
    () => [leaf.certPem.replace('MII', 'MIX'), leaf.keyPem],
    0,
    /the-cert\.pem holds a damaged/,
  ],
  ['a certificate as key', () => [leaf.certPem, leaf.certPem], 0, /the-key\.pem holds no PEM private key/],
  [
    'a damaged key',
    () => [leaf.certPem, leaf.keyPem.replace('MI', 'MX')],
    0,
    /the-key\.pem holds a damaged private key/,
  ],
  ['an encrypted key', () => [leaf.certPem, encrypted], 0, /the-key\.pem is protected by a passphrase/],
  ['the key of another', () => [leaf.certPem, ca.keyPem], 0, /the-key\.pem is not the key of .*the-cert\.pem/],
  ['a chain with the CA first', () => [ca.certPem + leaf.certPem, leaf.keyPem], 0, /the-key\.pem is not the key/],
  ['an expired certificate', () => [leaf.certPem, leaf.keyPem], 397, /the-cert\.pem expired on .* 2031/],
  ['a certificate of the future', () => [leaf.certPem, leaf.keyPem], -1, /the-cert\.pem is not valid before/],
])('says what is wrong with %s, quoting nothing of a key', async (_, contents, days, message) => {
  const [cert, key] = await filesOf(...contents());
  const loaded = loadServerCertificate(cert, key, () => issuedAt + days * dayMs);
  await expect(loaded).rejects.toMatchObject({
    code: 'GIR_ERR_CERTIFICATE',
    message: expect.stringMatching(message),
  });
  await expect(loaded).rejects.not.toThrow(/BEGIN PRIVATE KEY-----\s*MI|MIGH/);
});

it('names a file that is missing or a folder', async () => {
  const [cert, key] = await filesOf(leaf.certPem, leaf.keyPem);
  await mkdir(`${cert}.d`);
  await expect(loadServerCertificate(`${cert}.no`, key)).rejects.toMatchObject({
    code: 'GIR_ERR_CERTIFICATE',
    message: expect.stringContaining('the-cert.pem.no does not exist'),
  });
  await expect(loadServerCertificate(cert, `${key}.no`)).rejects.toThrow('the-key.pem.no does not exist');
  await expect(loadServerCertificate(`${cert}.d`, key)).rejects.toThrow('the-cert.pem.d is a folder');
});
