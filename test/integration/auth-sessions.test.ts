/** S3, S2, S7: sessions end with their credentials, whichever provider accepted them. */
import { describe, expect, it } from 'vitest';
import type { AuthProvider } from '../../src/extension/index.ts';
import { createJwtProvider, jwt } from '../../src/plugins/auth/jwt.ts';
import { tokens } from '../../src/plugins/auth/tokens.ts';
import { openStateFolder } from '../../src/state/state-folder.ts';
import { openTokenStore } from '../../src/state/token-store.ts';
import { createTemporaryFolder } from '../state/temporary-folder.ts';
import { eventually } from '../support/eventually.ts';
import { HttpClient } from '../support/http-client.ts';
import { startLinks } from '../support/links.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { RunningClock } from '../support/running-clock.ts';
import { audience, issuerName, startTokenIssuer } from '../support/token-issuer.ts';
import { testContext } from '../support/workshop.ts';
import { startTestAgent, startTestEdge, tokenProvider } from '../support/world.ts';

/** The provider as an edge has it, and the store as `giraffe token` has it. */
async function startTokens(now: () => number = Date.now) {
  const stateDir = await createTemporaryFolder();
  const store = await openTokenStore(await openStateFolder(stateDir), now);
  const provider = await tokens.create({}, testContext({ stateDir, now }));
  return { store, provider, [Symbol.asyncDispose]: async () => provider[Symbol.asyncDispose]?.() };
}

const named = (name: string, provider: AuthProvider) => [{ name, provider }];

describe('a token that is revoked', () => {
  it('S3 ends its session within a second, the agent says why and stops, and others serve on', async () => {
    await using world = await startTokens();
    const revoked = await world.store.createToken({ name: 'revoked', endpoints: ['a.test'] });
    const good = await world.store.createToken({ name: 'good', endpoints: ['b.test'] });
    await using edge = await startTestEdge({}, { authProviders: named('tokens', world.provider) });
    await using origin = await startHttpOrigin((request, response) => {
      if (request.url === '/') response.end('ok');
    });
    // The provider looks at its folder a few times a second.
    await eventually('both tokens', () => world.provider.isStillAllowed?.(good.id) ?? false);
    await using agent = await startTestAgent(edge.edge.ports, 'a.test', origin.target, { token: revoked.secret });
    await using other = await startTestAgent(edge.edge.ports, 'b.test', origin.target, { token: good.secret });
    using client = new HttpClient(edge.edge.ports.proxy, 'a.test');
    using otherClient = new HttpClient(edge.edge.ports.proxy, 'b.test');
    const pending = client.get('/hangs');
    await eventually('the request at the origin', () => origin.connections > 0);
    expect((await otherClient.get('/')).text).toBe('ok');

    expect(await world.store.revokeToken(revoked.id)).toBe(true);
    using clock = new RunningClock();
    const { error } = await agent.event('closed');
    expect(clock.ranMs).toBeLessThan(1000);
    expect(error).toMatchObject({ code: 'GIR_ERR_CREDENTIALS_REFUSED', message: 'the credentials were revoked' });
    expect(error?.entry.exit).toBe(7);
    expect(await agent.agent.closed).toBe(error);
    expect(agent.events.at(-1)?.type).toBe('closed');
    // What was in flight is the tunnel's loss, and no refusal of the client.
    expect((await pending).status).toBe(502);
    expect((await otherClient.get('/')).text).toBe('ok');
    expect(other.events.filter(({ type }) => type === 'reconnecting' || type === 'closed')).toEqual([]);
    expect(edge.log.filter(({ message }) => message === 'session ended')).toHaveLength(1);
  });

  it('S3 lets clients wait for nobody: what waits is answered at once, and what comes later, too', async () => {
    await using world = await startTokens();
    const { id, secret } = await world.store.createToken({ name: 'revoked', endpoints: ['*'] });
    const limits = { reconnectGraceMs: 600_000, maxStreams: 1 };
    await using edge = await startTestEdge(limits, { authProviders: named('tokens', world.provider) });
    await using origin = await startHttpOrigin(() => {});
    await eventually('the token', () => world.provider.isStillAllowed?.(id) ?? false);
    await using agent = await startTestAgent(edge.edge.ports, 'a.test', origin.target, { token: secret });
    using client = new HttpClient(edge.edge.ports.proxy, 'a.test');
    using other = new HttpClient(edge.edge.ports.proxy, 'a.test');
    const [first, waiting] = [client.get('/'), other.get('/')];
    await eventually('both requests', () => edge.edge.stats().some(({ inFlight }) => inFlight === 2));
    await world.store.revokeToken(id);
    await agent.event('closed');
    expect((await first).status).toBe(502);
    expect((await waiting).text).toContain('GIR_ERR_NO_UPSTREAM');
    expect((await client.get('/')).text).toContain('GIR_ERR_NO_UPSTREAM');
  });

  it('S3 lets clients wait for another agent that serves the same endpoint', async () => {
    await using world = await startTokens();
    const { id, secret } = await world.store.createToken({ name: 'revoked', endpoints: ['*'] });
    const good = await world.store.createToken({ name: 'good', endpoints: ['*'] });
    const authProviders = named('tokens', world.provider);
    await using edge = await startTestEdge({ reconnectGraceMs: 600_000 }, { authProviders });
    await using links = await startLinks(edge.edge.ports);
    await using origin = await startHttpOrigin((_request, response) => void response.end('ok'));
    await eventually('both tokens', () => world.provider.isStillAllowed?.(good.id) ?? false);
    const { server } = links;
    await using other = await startTestAgent(edge.edge.ports, 'a.test', origin.target, { token: good.secret, server });
    await using agent = await startTestAgent(edge.edge.ports, 'a.test', origin.target, { token: secret });
    await world.store.revokeToken(id);
    await agent.event('closed');
    links.both('refuse');
    links.both('cut');
    await other.event('reconnecting');
    using client = new HttpClient(edge.edge.ports.proxy, 'a.test');
    const waiting = client.get('/');
    await eventually('the request', () => edge.edge.stats().some(({ inFlight }) => inFlight === 1));
    links.both('accept');
    expect((await waiting).text).toBe('ok');
  });

  it('S3 S7 is refused when it comes back, and stands in no log and no error', async () => {
    await using world = await startTokens();
    const { id, secret } = await world.store.createToken({ name: 'old', endpoints: ['*'] });
    await world.store.revokeToken(id);
    await using edge = await startTestEdge({}, { authProviders: named('tokens', world.provider) });
    await using agent = await startTestAgent(edge.edge.ports, 'a.test', '1', { token: secret, waits: false });
    await expect(agent.agent.ready).rejects.toMatchObject({ code: 'GIR_ERR_CREDENTIALS_REFUSED' });
    const told = JSON.stringify([edge.log, agent.events, await agent.agent.closed]);
    expect(told).toContain('unknown, revoked or expired');
    expect(told).not.toContain(secret.slice(4));
  });
});

describe('credentials that expire', () => {
  it('S3 end the session within a second of their time, and the agent says why and stops', async () => {
    let nowMs = Date.now();
    await using world = await startTokens(() => nowMs);
    const expiresAt = new Date(nowMs + 3_600_000);
    const { id, secret } = await world.store.createToken({ name: 'hour', endpoints: ['*'], expiresAt });
    await using edge = await startTestEdge({}, { authProviders: named('tokens', world.provider), now: () => nowMs });
    await eventually('the token', () => world.provider.isStillAllowed?.(id) ?? false);
    await using agent = await startTestAgent(edge.edge.ports, 'a.test', '1', { token: secret });
    nowMs += 3_599_999;
    expect(world.provider.isStillAllowed?.(id)).toBe(true);
    nowMs += 1;
    using clock = new RunningClock();
    const { error } = await agent.event('closed');
    expect(clock.ranMs).toBeLessThan(1000);
    expect(error?.entry.exit).toBe(7);
    expect(error).toMatchObject({
      code: 'GIR_ERR_CREDENTIALS_REFUSED',
      message: `the credentials expired on ${expiresAt.toISOString()}`,
    });
  });

  it('S3 end it also without a word of the provider', async () => {
    let nowMs = 0;
    const owner = { id: 'me', endpoints: ['*'], expiresAt: new Date(1000) };
    await using edge = await startTestEdge({}, { authenticate: async () => owner, now: () => nowMs });
    await using agent = await startTestAgent(edge.edge.ports, 'a.test', '1');
    nowMs = 1000;
    using clock = new RunningClock();
    expect((await agent.event('closed')).error?.code).toBe('GIR_ERR_CREDENTIALS_REFUSED');
    expect(clock.ranMs).toBeLessThan(1000);
  });
});

describe('providers that change while the edge runs', () => {
  it('S3 T8 keep the sessions they still know, and end the others', async () => {
    const first = { name: 'first', provider: tokenProvider(async (token) => known('one', token)) };
    const second = { name: 'second', provider: tokenProvider(async (token) => known('two', token)) };
    await using edge = await startTestEdge({}, { authProviders: [first, second] });
    await using one = await startTestAgent(edge.edge.ports, 'one.test', '1', { token: 'one' });
    await using two = await startTestAgent(edge.edge.ports, 'two.test', '1', { token: 'two' });
    edge.edge.changeAuthProviders([second]);
    const { error } = await one.event('closed');
    expect(error?.message).toBe('the edge does not take such credentials any more');
    expect(two.events.filter(({ type }) => type === 'closed')).toEqual([]);
    await using late = await startTestAgent(edge.edge.ports, 'one.test', '1', { token: 'one', waits: false });
    await expect(late.agent.ready).rejects.toMatchObject({ code: 'GIR_ERR_CREDENTIALS_REFUSED' });
  });
});

async function known(name: string, token: string) {
  return token === name ? { id: name, endpoints: ['*'], expiresAt: undefined } : undefined;
}

describe('JSON Web Tokens', () => {
  async function provider(url: string): Promise<AuthProvider> {
    const options = { jwksUrl: url, issuer: issuerName, audience, endpoints: ['{owner}.ci.test'] };
    return createJwtProvider(jwt.options.parse(options), {
      now: Date.now,
      configDir: '/',
      logger: { warn: () => {} },
      cooldownMs: 0,
    });
  }

  it('S2 open what their claims say, beside tokens of the store, and go on when the key is replaced', async () => {
    await using issuer = await startTokenIssuer();
    await using world = await startTokens();
    const { id, secret } = await world.store.createToken({ name: 'x', endpoints: ['b.test'] });
    await eventually('the token', () => world.provider.isStillAllowed?.(id) ?? false);
    await using edge = await startTestEdge(
      {},
      { authProviders: [...named('tokens', world.provider), ...named('jwt', await provider(issuer.url))] },
    );
    const token = await issuer.sign({ owner: 'acme' });
    await using ci = await startTestAgent(edge.edge.ports, 'acme.ci.test', '1', { token });
    await using stored = await startTestAgent(edge.edge.ports, 'b.test', '1', { token: secret });
    await using foreign = await startTestAgent(edge.edge.ports, 'evil.ci.test', '1', { token, waits: false });
    await expect(foreign.agent.ready).rejects.toMatchObject({ code: 'GIR_ERR_ENDPOINT_REFUSED' });
    await issuer.rotate();
    const newer = await issuer.sign({ owner: 'other' });
    await using rotated = await startTestAgent(edge.edge.ports, 'other.ci.test', '1', { token: newer });
    const agents = [ci, stored, rotated];
    expect(agents.flatMap(({ events }) => events).filter(({ type }) => type === 'closed')).toEqual([]);
    expect(JSON.stringify([edge.log, foreign.events])).not.toContain(token.split('.')[2]);
  });

  it('S2 a key set that is silent lets nobody in, and agents try again', async () => {
    await using issuer = await startTokenIssuer();
    issuer.stall();
    await using edge = await startTestEdge(
      { authTimeoutMs: 100 },
      { authProviders: named('jwt', await provider(issuer.url)) },
    );
    const token = await issuer.sign({ owner: 'acme' });
    await using agent = await startTestAgent(edge.edge.ports, 'acme.ci.test', '1', { token, waits: false });
    agent.agent.ready.catch(() => {});
    const { error } = await agent.event('reconnecting');
    expect(error.code).toBe('GIR_ERR_EXTENSION_FAULT');
    expect(edge.log.filter(({ message }) => message === 'session opened')).toEqual([]);
    expect(edge.log.find(({ message }) => message === 'an authentication provider failed')).toMatchObject({
      provider: 'jwt',
    });
  });
});
