import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/config/secret.ts';
import {
  findClientCertificate,
  findToken,
  findTrust,
  isThisMachine,
} from '../../../src/host/agent/agent-credentials.ts';
import { ensureServerCertificate } from '../../../src/state/certificates.ts';
import { openStateFolder } from '../../../src/state/state-folder.ts';

const pin = `sha256:${'0'.repeat(64)}`;
const local = { host: 'localhost', port: 4444 };
const remote = { host: 'edge.example.com', port: 4444 };
let stateDir = '';

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'giraffe-credentials-'));
});

afterEach(async () => {
  await rm(stateDir, { recursive: true });
});

describe('findToken()', () => {
  const sources = (stdin = '') => ({ stateDir, readStdin: async () => stdin });
  const found = (token: string | undefined, tokenFile?: string, stdin?: string) =>
    findToken(
      { token: token === undefined ? undefined : new Secret(token), tokenFile, clientCert: undefined },
      sources(stdin),
    );

  it('takes the token itself, a file, stdin, or what an edge left in the state folder', async () => {
    const left = `grf_${'x'.repeat(43)}`;
    await writeFile(join(stateDir, 'token'), 'grf_file\n');
    await writeFile(join(stateDir, 'agent-token'), `${left}\n`);
    expect(await found('grf_flag')).toBe('grf_flag');
    expect(await found(undefined, join(stateDir, 'token'))).toBe('grf_file');
    expect(await found('-', undefined, 'grf_stdin\n')).toBe('grf_stdin');
    expect(await found(undefined)).toBe(left);
  });

  it('has none when a certificate is set instead, whatever an edge has left', async () => {
    await writeFile(join(stateDir, 'agent-token'), `grf_${'x'.repeat(43)}\n`);
    const settings = { token: undefined, tokenFile: undefined, clientCert: 'agent.pem' };
    expect(await findToken(settings, sources())).toBe('');
    expect(await findToken({ ...settings, token: new Secret('grf_flag') }, sources())).toBe('grf_flag');
  });

  it('says where a token could come from when there is none', async () => {
    await expect(found(undefined)).rejects.toMatchObject({
      code: 'GIR_ERR_CONFIG',
      message: expect.stringMatching(/GIRAFFE_TOKEN.*--token-file.*--state-dir/),
    });
  });

  it.each(['', 'two words', 'line\nline', 'ä', 'x'.repeat(8193)])(
    'refuses %j from stdin and does not repeat it',
    async (text) => {
      await expect(found('-', undefined, text)).rejects.toMatchObject({
        code: 'GIR_ERR_CONFIG',
        message: 'stdin does not hold a token such as grf_…',
      });
    },
  );

  it('names a token file that cannot be read', async () => {
    await expect(found(undefined, '/nowhere/token')).rejects.toMatchObject({
      code: 'GIR_ERR_CONFIG',
      message: expect.stringContaining('/nowhere/token cannot be read (ENOENT)'),
    });
  });
});

describe('findTrust()', () => {
  const trust = (ca: string | undefined, server = local, insecure = false) =>
    findTrust({ ca, server, insecure }, stateDir);

  it("trusts the local edge's CA for this machine and for no other", async () => {
    const folder = await openStateFolder(stateDir);
    const { caPem } = await ensureServerCertificate(folder, { names: ['localhost'], now: Date.now });
    expect(await trust(undefined)).toEqual({ kind: 'ca', pem: expect.stringContaining(caPem.trim()) });
    expect(await trust(undefined, remote)).toEqual({ kind: 'system' });
    expect(await trust(join(stateDir, 'ca.pem'), remote)).toMatchObject({ kind: 'ca' });
  });

  it('takes a pin in any case, and refuses half of one', async () => {
    expect(await trust(pin.toUpperCase(), remote)).toEqual({ kind: 'pin', pin });
    await expect(trust('sha256:00', remote)).rejects.toMatchObject({ code: 'GIR_ERR_CONFIG' });
  });

  it('trusts the system without a CA, and everything when told to', async () => {
    expect(await trust(undefined)).toEqual({ kind: 'system' });
    expect(await trust(undefined, remote, true)).toEqual({ kind: 'insecure' });
  });

  it('names a CA file that is missing or holds no certificate', async () => {
    await writeFile(join(stateDir, 'not-pem'), 'x');
    await expect(trust('/nowhere/ca.pem')).rejects.toMatchObject({ code: 'GIR_ERR_CERTIFICATE' });
    await expect(trust(join(stateDir, 'not-pem'))).rejects.toMatchObject({ code: 'GIR_ERR_CERTIFICATE' });
  });
});

describe('isThisMachine()', () => {
  it.each(['localhost', 'x.localhost', '127.0.0.1', '127.9.9.9', '::1', hostname()])('knows %s', (host) => {
    expect(isThisMachine(host)).toBe(true);
  });

  it.each(['127.evil.example', 'localhost.evil.example', '192.0.2.1', '2001:db8::1'])(
    'does not take %s for it',
    (host) => {
      expect(isThisMachine(host)).toBe(false);
    },
  );
});

describe('findClientCertificate()', () => {
  it('reads certificate and key, which belong together', async () => {
    await using folder = await openStateFolder(join(stateDir, 'edge'));
    const { certPem, keyPem } = await ensureServerCertificate(folder, { names: ['agent.test'], now: Date.now });
    const clientCert = join(stateDir, 'cert.pem');
    const clientKey = join(stateDir, 'key.pem');
    await writeFile(clientCert, certPem);
    await writeFile(clientKey, keyPem);
    expect(await findClientCertificate({ clientCert, clientKey })).toMatchObject({ keyPem });
    await expect(findClientCertificate({ clientCert: clientKey, clientKey })).rejects.toMatchObject({
      code: 'GIR_ERR_CERTIFICATE',
    });
  });

  it('is none unless it is set, and not one without the other', async () => {
    expect(await findClientCertificate({ clientCert: undefined, clientKey: undefined })).toBeUndefined();
    for (const settings of [
      { clientCert: 'a', clientKey: undefined },
      { clientCert: undefined, clientKey: 'a' },
    ]) {
      await expect(findClientCertificate(settings)).rejects.toMatchObject({
        code: 'GIR_ERR_CONFIG',
        message: expect.stringContaining('GIRAFFE_CLIENT_KEY'),
      });
    }
  });
});
