import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createToken, listTokens, revokeToken } from '../../../src/host/credentials/token-service.ts';
import type { Output } from '../../../src/host/terminal/output.ts';
import { openStateFolder } from '../../../src/state/state-folder.ts';
import { openTokenStore } from '../../../src/state/token-store.ts';
import { createTemporaryFolder } from '../../state/temporary-folder.ts';

async function setUp(json = false) {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const output: Output = { out: (line) => stdout.push(line), err: (line) => stderr.push(line), isInteractive: false };
  const stateDir = join(await createTemporaryFolder(), 'state');
  const input = { flags: { 'state-dir': stateDir }, environment: {} };
  const context = { input, output, json };
  const make = (name: string, endpoint: readonly string[] = ['*'], expires?: string) =>
    createToken({ ...context, input: { ...input, flags: { ...input.flags, name, endpoint, expires } } });
  const open = async () => openTokenStore(await openStateFolder(stateDir));
  const events = () => stdout.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { context, make, open, stdout, stderr, events, stateDir };
}

describe('giraffe token create', () => {
  it('prints the secret alone on stdout, and makes a token that works', async () => {
    const world = await setUp();
    expect(await world.make('ci', ['a.test', '*.b.test'], '1h')).toBe(0);
    const [secret = '', ...rest] = world.stdout;
    expect(rest).toEqual([]);
    expect((await world.open()).authenticate(secret)).toMatchObject({ name: 'ci', endpoints: ['a.test', '*.b.test'] });
    expect(world.stderr.join('\n')).toMatch(/Token ci \(tok_\w+\) for a\.test, \*\.b\.test; expires 2/);
    expect(world.stderr.join('\n')).not.toContain(secret);
  });

  it('S7 keeps no secret, and nobody else can read the file', async () => {
    const world = await setUp();
    await world.make('ci');
    const path = join(world.stateDir, 'tokens.json');
    expect(await readFile(path, 'utf8')).not.toContain(world.stdout[0]?.slice(4));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('tells programs everything in one event', async () => {
    const world = await setUp(true);
    await world.make('ci', ['a.test'], '1m');
    expect(world.events()).toEqual([
      {
        v: 1,
        event: 'token-created',
        id: expect.stringMatching(/^tok_/),
        name: 'ci',
        endpoints: ['a.test'],
        expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
        token: expect.stringMatching(/^grf_[\w-]{43}$/),
      },
    ]);
    expect(world.stderr).toEqual([]);
  });

  it.each([
    ['a pattern that is none', 'ci', ['a b']],
    ['an empty pattern list', 'ci', []],
    ['a name that is too long', 'x'.repeat(101), ['*']],
  ])('refuses %s and makes nothing', async (_case, name, endpoints) => {
    const world = await setUp();
    await expect(world.make(name, endpoints)).rejects.toMatchObject({ code: 'GIR_ERR_USAGE' });
    expect(world.stdout).toEqual([]);
    expect((await world.open()).listTokens()).toEqual([]);
  });
});

describe('giraffe token list', () => {
  it('shows what there is, without secrets', async () => {
    const world = await setUp();
    await world.make('ci', ['a.test']);
    await world.make('laptop', ['*'], '30d');
    const secrets = world.stdout.splice(0);
    expect(await listTokens(world.context)).toBe(0);
    const [head, first, second, ...rest] = world.stdout;
    expect(rest).toEqual([]);
    expect(head).toMatch(/^ID +NAME +ENDPOINTS +EXPIRES$/);
    expect(first).toMatch(/^tok_\w+ +ci +a\.test +never expires$/);
    expect(second).toMatch(/^tok_\w+ +laptop +\* +expires 2\d{3}-/);
    for (const secret of secrets) expect(world.stdout.join('\n')).not.toContain(secret.slice(4));
  });

  it('gives programs one event for each token', async () => {
    const world = await setUp(true);
    await world.make('ci');
    await world.make('laptop', ['*'], '1m');
    world.stdout.length = 0;
    await listTokens(world.context);
    expect(world.events()).toMatchObject([
      { event: 'token', name: 'ci', endpoints: ['*'], expired: false },
      { event: 'token', name: 'laptop', expiresAt: expect.any(String), expired: false },
    ]);
    expect(world.stdout.join()).not.toContain('grf_');
  });

  it('says when there is none, or no state folder, which it does not make', async () => {
    const world = await setUp();
    await expect(listTokens(world.context)).rejects.toMatchObject({
      code: 'GIR_ERR_STATE',
      message: expect.stringContaining('there is no state folder'),
    });
    await expect(stat(world.stateDir)).rejects.toThrow('ENOENT');
    await world.open();
    await listTokens(world.context);
    expect(world.stdout).toEqual([]);
    expect(world.stderr.join()).toContain('There are no tokens');
  });
});

describe('giraffe token revoke', () => {
  it('takes an id or a name', async () => {
    const world = await setUp();
    await world.make('ci');
    await world.make('laptop');
    const [first, second] = (await world.open()).listTokens();
    expect(await revokeToken(world.context, first?.id ?? '')).toBe(0);
    expect(await revokeToken(world.context, 'laptop')).toBe(0);
    expect(world.stderr.at(-1)).toContain(`Token laptop (${second?.id}) is revoked`);
    expect((await world.open()).listTokens()).toEqual([]);
  });

  it('does not choose among several of one name, and names them', async () => {
    const world = await setUp();
    await world.make('ci');
    await world.make('ci');
    const ids = (await world.open()).listTokens().map(({ id }) => id);
    await expect(revokeToken(world.context, 'ci')).rejects.toMatchObject({
      code: 'GIR_ERR_TOKEN_UNKNOWN',
      message: `several tokens are called ci: name one of ${ids.join(', ')}`,
    });
    expect((await world.open()).listTokens()).toHaveLength(2);
  });

  it('says when there is no such token', async () => {
    const world = await setUp();
    await world.make('ci');
    await expect(revokeToken(world.context, 'cd')).rejects.toMatchObject({ code: 'GIR_ERR_TOKEN_UNKNOWN' });
  });
});
