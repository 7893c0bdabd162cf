import { describe, expect, it } from 'vitest';
import type { Candidate, NonEmpty, RoutingRequest, RoutingStrategy } from '../../../src/extension/index.ts';
import { createHybridStrategy } from '../../../src/plugins/routing/hybrid.ts';
import { createLeastInFlightStrategy } from '../../../src/plugins/routing/least-inflight.ts';
import { createRoundRobinStrategy } from '../../../src/plugins/routing/round-robin.ts';
import { createStickyStrategy } from '../../../src/plugins/routing/sticky.ts';
import { createWeightedStrategy } from '../../../src/plugins/routing/weighted.ts';
import { candidate, routingRequest } from '../../support/candidates.ts';

/** Returns the agents that serve a number of equal requests. */
function agentsOf(strategy: RoutingStrategy, candidates: NonEmpty<Candidate>, count: number, request?: RoutingRequest) {
  return Array.from(
    { length: count },
    () => strategy.select(candidates, request ?? routingRequest()).candidate?.agentId,
  );
}

const [a, b, c] = [candidate('a'), candidate('b'), candidate('c')];
const sickB = candidate('b', { isHealthy: false });
const tcpA = candidate('a', { transport: 'tcp' });

describe('the strategy round-robin', () => {
  it('asks each agent in turn, whichever carriers it has', () => {
    expect(agentsOf(createRoundRobinStrategy(), [a, tcpA, b, c], 6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('passes over an agent that is not healthy, unless none is', () => {
    expect(agentsOf(createRoundRobinStrategy(), [a, sickB], 2)).toEqual(['a', 'a']);
    expect(agentsOf(createRoundRobinStrategy(), [sickB], 1)).toEqual(['b']);
  });

  it('counts the turns of each endpoint on its own', () => {
    const strategy = createRoundRobinStrategy();
    expect(agentsOf(strategy, [a, b], 1)).toEqual(['a']);
    expect(agentsOf(strategy, [a, b], 1, routingRequest({ host: 'other.test' }))).toEqual(['a']);
    expect(agentsOf(strategy, [a, b], 1)).toEqual(['b']);
  });

  it('sends upgrades over TCP and the rest over gRPC, and the other way when one is down', () => {
    const strategy = createRoundRobinStrategy();
    const upgrade = routingRequest({ isUpgrade: true });
    expect(strategy.select([a, tcpA], upgrade).candidate).toBe(tcpA);
    expect(strategy.select([tcpA, a], routingRequest()).candidate).toBe(a);
    expect(strategy.select([tcpA], routingRequest()).candidate).toBe(tcpA);
    expect(strategy.select([a], upgrade).candidate).toBe(a);
  });
});

describe('the strategy least-inflight', () => {
  it('asks the agent with the least to do, and equals in turn', () => {
    const strategy = createLeastInFlightStrategy();
    const busy = candidate('a', { inFlight: 3 });
    expect(new Set(agentsOf(strategy, [busy, b, c], 4))).toEqual(new Set(['b', 'c']));
  });

  it('asks a busy agent that is healthy before an idle one that is not', () => {
    const busy = candidate('a', { inFlight: 3 });
    expect(agentsOf(createLeastInFlightStrategy(), [sickB, busy], 2)).toEqual(['a', 'a']);
  });
});

describe('the strategy weighted', () => {
  it('spreads requests in the proportion of the weights, and not in bursts', () => {
    const heavy = candidate('a', { weight: 3 });
    const served = agentsOf(createWeightedStrategy(), [heavy, b], 8);
    expect(served).toEqual(['a', 'a', 'b', 'a', 'a', 'a', 'b', 'a']);
  });

  it('shares out what an agent that leaves had', () => {
    const strategy = createWeightedStrategy();
    agentsOf(strategy, [a, b, c], 5);
    const served = agentsOf(strategy, [a, b], 100).filter((agent) => agent === 'a');
    expect(Math.abs(served.length - 50)).toBeLessThanOrEqual(1);
  });
});

describe('the strategy sticky', () => {
  const byCookie = createStickyStrategy({ by: 'cookie', name: 'stay', secure: false });
  const withCookie = (value: string) => routingRequest({ fields: [['Cookie', `x=1; stay=${value}; y=2`]] });
  const keys = Array.from({ length: 1000 }, (_, index) => `visitor-${index}`);

  it('sets a cookie when there is none, and that cookie leads to the same agent', () => {
    const { candidate: chosen, responseFields } = byCookie.select([a, b, c], routingRequest());
    const [[name, cookie] = []] = responseFields ?? [];
    expect([name, cookie]).toEqual([
      'Set-Cookie',
      expect.stringMatching(/^stay=[A-Za-z0-9_-]{16}; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    const value = /stay=([^;]+)/.exec(cookie ?? '')?.[1] ?? '';
    const again = byCookie.select([c, b, a], withCookie(value));
    expect(again).toEqual({ candidate: chosen });
  });

  it('marks the cookie as secure when told to', () => {
    const strategy = createStickyStrategy({ by: 'cookie', name: 'stay', secure: true });
    expect(strategy.select([a], routingRequest()).responseFields?.[0]?.[1]).toMatch(/; Secure$/);
  });

  it('spreads visitors over all agents about evenly', () => {
    const served = keys.map((key) => byCookie.select([a, b, c], withCookie(key)).candidate?.agentId);
    for (const id of ['a', 'b', 'c']) {
      const count = served.filter((one) => one === id).length;
      expect(count).toBeGreaterThan(250);
      expect(count).toBeLessThan(420);
    }
  });

  it('moves only the visitors of an agent that leaves', () => {
    for (const key of keys) {
      const before = byCookie.select([a, b, c], withCookie(key)).candidate;
      const after = byCookie.select([a, b], withCookie(key)).candidate;
      expect(before === c || before === after).toBe(true);
    }
  });

  it('keeps visitors at an agent that came back with another session', () => {
    const back = candidate('b', { sessionId: 'another' });
    for (const key of keys.slice(0, 100)) {
      const before = byCookie.select([a, b, c], withCookie(key)).candidate?.agentId;
      expect(byCookie.select([a, back, c], withCookie(key)).candidate?.agentId).toBe(before);
    }
  });

  it('keeps by a header field, and sets no cookie then', () => {
    const strategy = createStickyStrategy({ by: 'header', name: 'X-User', secure: false });
    const user = routingRequest({ fields: [['x-user', 'ann']] });
    expect(new Set(agentsOf(strategy, [a, b, c], 5, user)).size).toBe(1);
    expect(strategy.select([a, b], user).responseFields).toBeUndefined();
    expect(strategy.select([a, b], routingRequest()).responseFields).toBeUndefined();
  });

  it('takes a cookie that is too long to be its own for none', () => {
    expect(byCookie.select([a, b], withCookie('x'.repeat(201))).responseFields).toHaveLength(1);
  });
});

describe('the strategy hybrid', () => {
  const strategy = createHybridStrategy({ forceGrpcPaths: ['/api/'], forceTcpPaths: ['/socket.io/'] });

  it('P4 forces transports by prefixes of the path alone', () => {
    const transport = (path: string) => strategy.select([a, tcpA], routingRequest({ path })).candidate?.transport;
    expect([
      transport('/socket.io/'),
      transport('/x/socket.io/'),
      transport('/socket.iox'),
      transport('/api/'),
    ]).toEqual(['tcp', 'grpc', 'grpc', 'grpc']);
  });

  it('says why', () => {
    expect(strategy.explain?.(routingRequest({ path: '/socket.io/x' }))).toBe(
      'over TCP, because its path begins with /socket.io/ of forceTcpPaths',
    );
    expect(strategy.explain?.(routingRequest({ isUpgrade: true }))).toBe('over TCP, because it is an upgrade');
  });
});
