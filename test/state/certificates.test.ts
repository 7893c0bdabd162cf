import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type SecureVersion } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defaultCertificateNames } from '../../src/state/certificate-names.ts';
import { caFromPin } from '../../src/state/certificate-pin.ts';
import { ensureServerCertificate, type ServerCertificate } from '../../src/state/certificates.ts';
import { readCaCertificate } from '../../src/state/local-files.ts';
import { openTemporaryFolder } from './temporary-folder.ts';

const dayMs = 86_400_000;
const names = ['localhost', '*.tunnel.test', '127.0.0.1', '::1'];
const realNow = () => Date.now();
const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
const leafOf = (made: ServerCertificate) => new X509Certificate(made.certPem);

/** Connects to a TLS server with this certificate and returns the protocol, or the code of the error. */
async function connectTo(
  made: ServerCertificate,
  name: string,
  version: SecureVersion,
  ca = made.caPem,
): Promise<string> {
  const server = createServer({ cert: made.certPem, key: made.keyPem, minVersion: version, maxVersion: version });
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => socket.on('error', () => undefined).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  // An IP address as host is checked as an IP address; SNI takes names only.
  const target = /^[\d.]+$/.test(name) ? { host: name } : { host: '127.0.0.1', servername: name };
  const socket = connect({ ...target, port, ca });
  onTestFinished(() => void socket.destroy());
  try {
    await once(socket, 'secureConnect');
    return socket.getProtocol() ?? '';
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

describe('ensureServerCertificate()', () => {
  it.each<[string, SecureVersion]>([
    ['localhost', 'TLSv1.2'],
    ['localhost', 'TLSv1.3'],
    ['127.0.0.1', 'TLSv1.2'],
    ['127.0.0.1', 'TLSv1.3'],
    ['app.tunnel.test', 'TLSv1.3'],
  ])('is accepted by node:tls for %s with %s', async (name, version) => {
    const { folder } = await openTemporaryFolder();
    const made = await ensureServerCertificate(folder, { names, now: realNow });
    expect(await connectTo(made, name, version)).toBe(version);
  });

  it('is refused for other names, without its CA, with another CA, and once it has expired', async () => {
    const { folder } = await openTemporaryFolder();
    const made = await ensureServerCertificate(folder, { names, now: realNow });
    expect(await connectTo(made, 'other.test', 'TLSv1.3')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await connectTo(made, 'a.b.tunnel.test', 'TLSv1.3')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    const { folder: otherFolder } = await openTemporaryFolder();
    const other = await ensureServerCertificate(otherFolder, { names, now: realNow });
    expect(await connectTo(made, 'localhost', 'TLSv1.3', other.caPem)).not.toMatch(/^TLSv/);
    const { folder: pastFolder } = await openTemporaryFolder();
    const past = await ensureServerCertificate(pastFolder, { names, now: () => Date.now() - 398 * dayMs });
    expect(await connectTo(past, 'localhost', 'TLSv1.3')).toBe('CERT_HAS_EXPIRED');
  });

  it('has the fields a TLS client looks at', async () => {
    const { folder } = await openTemporaryFolder();
    const now = Date.parse('2030-06-01T12:00:00Z');
    const made = await ensureServerCertificate(folder, { names, now: () => now });
    const leaf = leafOf(made);
    const ca = new X509Certificate(made.caPem);
    expect(leaf.ca).toBe(false);
    expect(ca.ca).toBe(true);
    expect(leaf.subjectAltName).toBe(
      'DNS:localhost, DNS:*.tunnel.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(leaf.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect(Date.parse(leaf.validFrom)).toBe(now - 3_600_000);
    expect(made.notAfter.getTime() - Date.parse(leaf.validFrom)).toBe(397 * dayMs);
    expect(Date.parse(ca.validTo) - Date.parse(ca.validFrom)).toBe(3_650 * dayMs);
    expect(leaf.checkIssued(ca)).toBe(true);
    expect(leaf.serialNumber).toMatch(/^[0-9A-F]{24,32}$/);
    expect(leaf.serialNumber).not.toBe(ca.serialNumber);
    expect(made.caFingerprint).toBe(`sha256:${ca.fingerprint256.replaceAll(':', '').toLowerCase()}`);
    expect(made.certPem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(await readCaCertificate(folder.path)).toBe(made.caPem);
  });

  it('keeps all four files at mode 0600', async () => {
    const { folder } = await openTemporaryFolder();
    await ensureServerCertificate(folder, { names, now: realNow });
    for (const name of ['ca.pem', 'ca-key.pem', 'server.pem', 'server-key.pem']) {
      expect((await stat(folder.pathOf(name))).mode & 0o777, name).toBe(0o600);
    }
  });

  it('returns the same certificate as long as it serves: with 30 days left, and for some of its names', async () => {
    const { folder } = await openTemporaryFolder();
    const made = await ensureServerCertificate(folder, { names, now: realNow });
    const later = () => made.notAfter.getTime() - 30 * dayMs;
    expect(await ensureServerCertificate(folder, { names: ['LOCALHOST.', '0::1'], now: later })).toEqual(made);
  });

  it('makes one certificate when two edges start at once', async () => {
    const { folder } = await openTemporaryFolder();
    const { folder: sameFolder } = await openTemporaryFolder(folder.path);
    const made = await Promise.all(
      [folder, sameFolder].map((it) => ensureServerCertificate(it, { names, now: realNow })),
    );
    expect(made[0]).toEqual(made[1]);
  });

  it.each<[string, (made: ServerCertificate, path: (name: string) => string) => Promise<unknown>, string[], number]>([
    ['is missing', (_, path) => rm(path('server.pem')), names, 0],
    ['has lost its key', (_, path) => rm(path('server-key.pem')), names, 0],
    ['is damaged', (_, path) => writeFile(path('server.pem'), 'oops'), names, 0],
    ['has the key of another', (_, path) => writeFile(path('server-key.pem'), otherKey), names, 0],
    ['lacks a name', async () => undefined, [...names, 'more.test'], 0],
    ['lacks an address', async () => undefined, [...names, '10.0.0.1'], 0],
    ['has less than 30 days left', async () => undefined, names, 397 - 30],
    ['is not valid yet', async () => undefined, names, -1],
  ])('makes another certificate, by the same CA, when it %s', async (_, spoil, wanted, days) => {
    const { folder, warnings } = await openTemporaryFolder();
    const now = Date.now();
    const made = await ensureServerCertificate(folder, { names, now: () => now });
    await spoil(made, (name) => folder.pathOf(name));
    const again = await ensureServerCertificate(folder, { names: wanted, now: () => now + days * dayMs });
    expect(leafOf(again).serialNumber).not.toBe(leafOf(made).serialNumber);
    expect(again.caFingerprint).toBe(made.caFingerprint);
    expect(warnings).toEqual([]);
    expect(await ensureServerCertificate(folder, { names: wanted, now: () => now + days * dayMs })).toEqual(again);
  });

  it('makes another certificate when another CA signed it', async () => {
    const { folder } = await openTemporaryFolder();
    const { folder: otherFolder } = await openTemporaryFolder();
    const made = await ensureServerCertificate(folder, { names, now: realNow });
    const other = await ensureServerCertificate(otherFolder, { names, now: realNow });
    await folder.writeFile('server.pem', other.certPem);
    await folder.writeFile('server-key.pem', other.keyPem);
    const again = await ensureServerCertificate(folder, { names, now: realNow });
    expect(again.caFingerprint).toBe(made.caFingerprint);
    expect(await connectTo(again, 'localhost', 'TLSv1.3')).toBe('TLSv1.3');
  });

  it('keeps the CA while the server certificate serves, even without the key of the CA', async () => {
    const { folder } = await openTemporaryFolder();
    const made = await ensureServerCertificate(folder, { names, now: realNow });
    await rm(folder.pathOf('ca-key.pem'));
    expect(await ensureServerCertificate(folder, { names, now: realNow })).toEqual(made);
  });

  it.each<[string, (path: (name: string) => string) => Promise<unknown>, number]>([
    ['is damaged', (path) => writeFile(path('ca.pem'), 'oops'), 0],
    ['has lost its key and has to sign', (path) => Promise.all([rm(path('ca-key.pem')), rm(path('server.pem'))]), 0],
    ['has less than 30 days left', async () => undefined, 3_650 - 30],
  ])('makes a new CA, keeps the old one aside and warns, when the CA %s', async (_, spoil, days) => {
    const { folder, warnings } = await openTemporaryFolder();
    const now = Date.now();
    const made = await ensureServerCertificate(folder, { names, now: () => now });
    await spoil((name) => folder.pathOf(name));
    const again = await ensureServerCertificate(folder, { names, now: () => now + days * dayMs });
    expect(again.caFingerprint).not.toBe(made.caFingerprint);
    expect(await folder.readFile('ca.pem.corrupt-1')).toBeDefined();
    expect(warnings).toEqual(expect.arrayContaining([expect.stringContaining('new fingerprint')]));
  });

  it('never outlives its CA', async () => {
    const { folder } = await openTemporaryFolder();
    const now = Date.now();
    const made = await ensureServerCertificate(folder, { names, now: () => now });
    const again = await ensureServerCertificate(folder, { names, now: () => now + 3_500 * dayMs });
    expect(again.caFingerprint).toBe(made.caFingerprint);
    expect(again.notAfter).toEqual(new Date(new X509Certificate(made.caPem).validTo));
  });

  it.each([[[]], [['a b']], [['*']], [['fe80::1%eth0']], [['a,DNS:evil.test']]])(
    'refuses the names %j',
    async (bad) => {
      const { folder } = await openTemporaryFolder();
      const made = ensureServerCertificate(folder, { names: bad, now: realNow });
      await expect(made).rejects.toMatchObject({ code: 'GIR_ERR_CONFIG' });
    },
  );
});

describe('caFromPin()', () => {
  it('finds the CA among what a TLS peer presents, and the CA is trusted then', async () => {
    const { folder } = await openTemporaryFolder();
    const made = await ensureServerCertificate(folder, { names, now: realNow });
    const chain = (made.certPem.match(/-----BEGIN[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map(
      (pem) => new X509Certificate(pem).raw,
    );
    const ca = caFromPin(made.caFingerprint.toUpperCase(), chain);
    expect(ca).toBe(made.caPem);
    expect(await connectTo(made, 'localhost', 'TLSv1.3', ca)).toBe('TLSv1.3');
  });

  it('refuses a chain without the pinned certificate, and an empty one', async () => {
    const { folder } = await openTemporaryFolder();
    const made = await ensureServerCertificate(folder, { names, now: realNow });
    for (const chain of [[], [leafOf(made).raw]]) {
      expect(() => caFromPin(made.caFingerprint, chain)).toThrow(
        expect.objectContaining({ code: 'GIR_ERR_EDGE_CERTIFICATE' }),
      );
    }
  });

  it.each([
    '',
    'sha256:',
    'a'.repeat(64),
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'g'.repeat(64)}`,
    `sha1:${'a'.repeat(64)}`,
  ])('refuses %j as a pin', (pin) => {
    expect(() => caFromPin(pin, [])).toThrow(expect.objectContaining({ code: 'GIR_ERR_CONFIG' }));
  });
});

describe('defaultCertificateNames()', () => {
  it('covers loopback, the base domain and one label below it, the host name and the addresses, once each', () => {
    const about = { baseDomain: 'Tunnel.example.com', hostname: 'box', addresses: ['10.0.0.5', '::1', 'fe80::1%eth0'] };
    expect(defaultCertificateNames(about)).toEqual([
      'localhost',
      '*.localhost',
      '127.0.0.1',
      '::1',
      'tunnel.example.com',
      '*.tunnel.example.com',
      'box',
      '10.0.0.5',
    ]);
  });

  it('leaves out a host name that no certificate can hold', () => {
    const about = { baseDomain: '10.1.1.1', hostname: 'my laptop', addresses: [] };
    expect(defaultCertificateNames(about)).toEqual(['localhost', '*.localhost', '127.0.0.1', '::1', '10.1.1.1']);
  });
});
