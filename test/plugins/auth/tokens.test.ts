import { describe, expect, it } from 'vitest';
import { tokens } from '../../../src/plugins/auth/tokens.ts';
import { openStateFolder } from '../../../src/state/state-folder.ts';
import { openTokenStore } from '../../../src/state/token-store.ts';
import { createTemporaryFolder } from '../../state/temporary-folder.ts';
import { eventually } from '../../support/eventually.ts';
import { testContext } from '../../support/workshop.ts';

const signal = new AbortController().signal;
const unknownToken = `grf_${'x'.repeat(43)}`;

async function setUp(now: () => number = Date.now) {
  const stateDir = await createTemporaryFolder();
  const provider = await tokens.create({}, testContext({ stateDir, now }));
  // The store of another process, such as `giraffe token`.
  const store = await openTokenStore(await openStateFolder(stateDir), now);
  const ask = (token: string) => provider.authenticateAgent?.({ token, certificate: undefined, address: '' }, signal);
  return { store, ask, provider, [Symbol.asyncDispose]: async () => provider[Symbol.asyncDispose]?.() };
}

describe('tokens', () => {
  it('knows a token that another process made, with its scope', async () => {
    await using world = await setUp();
    const made = await world.store.createToken({ name: 'ci', endpoints: ['*.ci.test'] });
    await eventually('the new token', async () => (await world.ask(made.secret))?.kind === 'allow');
    expect(await world.ask(made.secret)).toEqual({
      kind: 'allow',
      principal: made.id,
      endpoints: ['*.ci.test'],
      expiresAt: undefined,
    });
  });

  it('S3 notices that another process has revoked a token', async () => {
    await using world = await setUp();
    const { id, secret } = await world.store.createToken({ name: 'ci', endpoints: ['*'] });
    await eventually('the new token', () => world.provider.isStillAllowed?.(id) ?? false);
    await world.store.revokeToken(id);
    await eventually('the revocation', () => !world.provider.isStillAllowed?.(id));
    expect(await world.ask(secret)).toMatchObject({ kind: 'deny' });
  });

  it('S3 lets tokens expire by the clock', async () => {
    let nowMs = 1_000_000;
    await using world = await setUp(() => nowMs);
    const expiresAt = new Date(1_060_000);
    const { id, secret } = await world.store.createToken({ name: 'ci', endpoints: ['*'], expiresAt });
    await eventually('the new token', () => world.provider.isStillAllowed?.(id) ?? false);
    expect(await world.ask(secret)).toMatchObject({ kind: 'allow', expiresAt });
    nowMs = 1_060_000;
    expect(await world.ask(secret)).toMatchObject({ kind: 'deny' });
    expect(world.provider.isStillAllowed?.(id)).toBe(false);
  });

  it('refuses a token of its own kind that it does not know, and leaves others to other providers', async () => {
    await using world = await setUp();
    expect(await world.ask(unknownToken)).toMatchObject({ kind: 'deny' });
    expect(await world.ask('')).toEqual({ kind: 'unknown' });
    expect(await world.ask('eyJhbGciOiJFUzI1NiJ9.e30.x')).toEqual({ kind: 'unknown' });
  });
});
