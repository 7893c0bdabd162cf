import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAdminToken, readAgentToken, readCaCertificate } from '../../src/state/local-files.ts';
import { openTokenStore } from '../../src/state/token-store.ts';
import { type BrokenStep, createBrokenDisk, createTemporaryFolder, openTemporaryFolder } from './temporary-folder.ts';

const anyHost = { name: 'laptop', endpoints: ['*'] };

describe('TokenStore', () => {
  it('shows a secret of 256 bits once and stores only its hash, mode 0600', async () => {
    const { folder } = await openTemporaryFolder();
    const store = await openTokenStore(folder, () => 0);
    const { id, secret } = await store.createToken(anyHost);
    expect(secret).toMatch(/^grf_[A-Za-z0-9_-]{43}$/);
    const text = await readFile(folder.pathOf('tokens.json'), 'utf8');
    expect(text).not.toContain(secret.slice(4));
    expect(JSON.parse(text)).toEqual({
      v: 1,
      tokens: [
        {
          id,
          name: 'laptop',
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
          endpoints: ['*'],
          createdAt: '1970-01-01T00:00:00.000Z',
        },
      ],
    });
    expect((await stat(folder.pathOf('tokens.json'))).mode & 0o777).toBe(0o600);
  });

  it('knows whom a secret belongs to, also after it was opened again', async () => {
    const { folder } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    const first = await store.createToken({ name: 'one', endpoints: ['a.test'] });
    const second = await store.createToken({ name: 'two', endpoints: ['*.b.test'] });
    for (const opened of [store, await openTokenStore(folder)]) {
      expect(opened.authenticate(first.secret)).toEqual({
        id: first.id,
        name: 'one',
        endpoints: ['a.test'],
        expiresAt: undefined,
      });
      expect(opened.authenticate(second.secret)).toMatchObject({ id: second.id });
      expect(opened.listTokens().map(({ name }) => name)).toEqual(['one', 'two']);
    }
  });

  it('knows nobody by a secret that is wrong, cut, prolonged, empty or huge', async () => {
    const { folder } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    const { secret } = await store.createToken(anyHost);
    const wrong = [secret.slice(0, -1), `${secret}A`, secret.toUpperCase(), '', 'grf_', 'x'.repeat(1_000_000)];
    for (const text of wrong) expect(store.authenticate(text)).toBeUndefined();
  });

  it('lets a token expire at its instant and not a millisecond before', async () => {
    const { folder } = await openTemporaryFolder();
    let now = 1_000;
    const store = await openTokenStore(folder, () => now);
    const { id, secret } = await store.createToken({ ...anyHost, expiresAt: new Date(5_000) });
    now = 4_999;
    expect(store.authenticate(secret)).toMatchObject({ expiresAt: new Date(5_000) });
    expect(store.principal(id)).toMatchObject({ id });
    now = 5_000;
    expect(store.authenticate(secret)).toBeUndefined();
    expect(store.principal(id)).toBeUndefined();
    expect(store.listTokens()).toHaveLength(1);
  });

  it('revokes a token for itself at once and for another process at its next refresh', async () => {
    const { folder } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    const { id, secret } = await store.createToken(anyHost);
    const other = await openTokenStore((await openTemporaryFolder(folder.path)).folder);
    expect(await store.revokeToken(id)).toBe(true);
    expect(await store.revokeToken(id)).toBe(false);
    expect(store.authenticate(secret)).toBeUndefined();
    expect(other.principal(id)).toMatchObject({ id });
    expect(await other.refresh()).toBe(true);
    expect(other.principal(id)).toBeUndefined();
    expect(await other.refresh()).toBe(false);
  });

  it('does not bring back a token that is revoked while a refresh reads the file', async () => {
    const { folder } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    for (let round = 0; round < 20; round += 1) {
      const { id } = await store.createToken(anyHost);
      await Promise.all([store.revokeToken(id), store.refresh(), store.refresh()]);
      expect(store.principal(id)).toBeUndefined();
    }
  });

  it.each([
    ['no name', { name: '', endpoints: ['*'] }],
    ['a long name', { name: 'x'.repeat(101), endpoints: ['*'] }],
    ['a control character', { name: 'a\u001b[31m', endpoints: ['*'] }],
    ['no endpoint', { name: 'a', endpoints: [] }],
    ['a malformed pattern', { name: 'a', endpoints: ['a.*'] }],
    ['no date', { name: 'a', endpoints: ['*'], expiresAt: new Date(Number.NaN) }],
  ])('refuses a token with %s and writes nothing', async (_, token) => {
    const { folder } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    await expect(store.createToken(token)).rejects.toMatchObject({ code: 'GIR_ERR_USAGE' });
    expect(await folder.readFile('tokens.json')).toBeUndefined();
  });

  it('says which endpoint is none', async () => {
    const { folder } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    const token = { name: 'one', endpoints: ['a.test', 'bad host'] };
    await expect(store.createToken(token)).rejects.toThrow('endpoint "bad host" is not a host, *.host or *');
  });

  it('makes no token when the disk is full, and keeps serving those it has', async () => {
    const broken: { step: BrokenStep | undefined; code: string } = { step: undefined, code: 'ENOSPC' };
    const { folder } = await openTemporaryFolder(undefined, createBrokenDisk(broken));
    const store = await openTokenStore(folder);
    const { secret } = await store.createToken(anyHost);
    broken.step = 'write';
    await expect(store.createToken(anyHost)).rejects.toMatchObject({ code: 'GIR_ERR_STATE' });
    expect(await store.refresh()).toBe(true);
    expect(store.listTokens()).toHaveLength(1);
    expect(store.authenticate(secret)).toBeDefined();
  });

  it('opens without tokens, and warns, when tokens.json is damaged', async () => {
    const { folder, warnings } = await openTemporaryFolder();
    await writeFile(folder.pathOf('tokens.json'), '{"v":1,"tokens":[{"id":"a"}]}');
    const store = await openTokenStore(folder);
    expect(store.listTokens()).toEqual([]);
    expect(warnings).toHaveLength(1);
    expect(await folder.readFile('tokens.json.corrupt-1')).toBeDefined();
  });

  it('keeps its tokens when tokens.json is damaged while it is open, warns once, and writes them again', async () => {
    const { folder, warnings } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    const { secret } = await store.createToken(anyHost);
    await writeFile(folder.pathOf('tokens.json'), 'oops');
    await store.refresh();
    await store.refresh();
    expect(warnings).toEqual([expect.stringContaining('its last state is used')]);
    expect(store.authenticate(secret)).toBeDefined();
    await store.createToken(anyHost);
    const opened = await openTokenStore(folder);
    expect(opened.authenticate(secret)).toBeDefined();
    expect(opened.listTokens()).toHaveLength(2);
  });

  it('has no tokens any more when tokens.json is removed', async () => {
    const { folder } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    const { secret } = await store.createToken(anyHost);
    await rm(folder.pathOf('tokens.json'));
    await store.refresh();
    expect(store.authenticate(secret)).toBeUndefined();
  });

  it('survives a file that cannot be read: refresh() warns, reload() throws, tokens stay', async () => {
    const { folder, warnings } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    const { secret } = await store.createToken(anyHost);
    await writeFile(folder.pathOf('tokens.json'), '{"v":2}');
    expect(await store.refresh()).toBe(false);
    expect(warnings).toHaveLength(1);
    await expect(store.reload()).rejects.toMatchObject({ code: 'GIR_ERR_STATE' });
    expect(store.authenticate(secret)).toBeDefined();
  });
});

describe('the first token', () => {
  it('is made once and left in agent-token for an agent on the same machine', async () => {
    const { folder } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    const made = await store.ensureFirstToken();
    expect(made?.secret).toMatch(/^grf_/);
    expect(await readAgentToken(folder.path)).toBe(made?.secret);
    expect((await stat(folder.pathOf('agent-token'))).mode & 0o777).toBe(0o600);
    expect(store.authenticate(made?.secret ?? '')).toMatchObject({ name: 'first', endpoints: ['*'] });
    expect(await store.ensureFirstToken()).toBeUndefined();
    expect(await (await openTokenStore(folder)).ensureFirstToken()).toBeUndefined();
  });

  it('is one, even if two edges start at once', async () => {
    const { folder } = await openTemporaryFolder();
    const { folder: sameFolder } = await openTemporaryFolder(folder.path);
    const stores = [await openTokenStore(folder), await openTokenStore(sameFolder)];
    const made = await Promise.all(stores.map((store) => store.ensureFirstToken()));
    const secrets = made.flatMap((token) => token?.secret ?? []);
    expect(secrets).toEqual([await readAgentToken(folder.path)]);
  });

  it('is not made when there is a token already', async () => {
    const { folder } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    await store.createToken(anyHost);
    expect(await store.ensureFirstToken()).toBeUndefined();
    expect(await readAgentToken(folder.path)).toBeUndefined();
  });
});

describe('the admin token', () => {
  it('is made once, with mode 0600, and is no token for agents', async () => {
    const { folder } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    expect(store.authenticateAdmin('')).toBe(false);
    const secret = (await store.ensureAdminToken())?.secret ?? '';
    expect(secret).toMatch(/^gra_[A-Za-z0-9_-]{43}$/);
    expect(await readAdminToken(folder.path)).toBe(secret);
    expect((await stat(folder.pathOf('admin-token'))).mode & 0o777).toBe(0o600);
    expect(await store.ensureAdminToken()).toBeUndefined();
    const opened = await openTokenStore(folder);
    expect(opened.authenticateAdmin(secret)).toBe(true);
    expect(opened.authenticateAdmin(`${secret}x`)).toBe(false);
    expect(opened.authenticate(secret)).toBeUndefined();
  });

  it('is replaced by a refresh when its file was', async () => {
    const { folder } = await openTemporaryFolder();
    const store = await openTokenStore(folder);
    const old = (await store.ensureAdminToken())?.secret ?? '';
    const next = `gra_${'A'.repeat(43)}`;
    await writeFile(folder.pathOf('admin-token'), `${next}\n`);
    await store.refresh();
    expect(store.authenticateAdmin(old)).toBe(false);
    expect(store.authenticateAdmin(next)).toBe(true);
  });
});

describe('reading on the agent side', () => {
  it('finds nothing in a folder that is empty or missing, and makes none', async () => {
    const path = await createTemporaryFolder();
    for (const folder of [path, join(path, 'missing')]) {
      expect(await readAgentToken(folder)).toBeUndefined();
      expect(await readAdminToken(folder)).toBeUndefined();
      expect(await readCaCertificate(folder)).toBeUndefined();
    }
    await expect(stat(join(path, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a file that holds something else, without quoting it', async () => {
    const path = await createTemporaryFolder();
    await writeFile(join(path, 'agent-token'), 'hunter2');
    const read = readAgentToken(path);
    await expect(read).rejects.toMatchObject({
      code: 'GIR_ERR_STATE',
      message: expect.stringContaining('agent-token'),
    });
    await expect(read).rejects.not.toThrow(/hunter2/);
  });
});
