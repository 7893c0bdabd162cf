import { describe, expect, it } from 'vitest';
import type { RoutingRequest, RoutingStrategy } from '../../../src/extension/index.ts';
import { createRulesStrategy, rules as extension } from '../../../src/plugins/routing/rules.ts';
import { fitsWildcard } from '../../../src/plugins/routing/wildcard.ts';
import { candidate, routingRequest } from '../../support/candidates.ts';

function strategyOf(...rules: readonly object[]): RoutingStrategy {
  return createRulesStrategy(extension.options.parse({ rules }));
}

const grpc = candidate('a');
const tcp = candidate('a', { transport: 'tcp' });

/** Returns whether a rule with this condition fires. */
function fires(when: object, request: Partial<RoutingRequest>): boolean {
  return strategyOf({ when, answer: { status: 204 } }).answer?.(routingRequest(request)) !== undefined;
}

describe('the strategy rules', () => {
  it.each<[string, object, Partial<RoutingRequest>, Partial<RoutingRequest>]>([
    ['a host', { hosts: ['app.test'] }, { host: 'app.test' }, { host: 'xapp.test' }],
    ['a pattern of hosts', { hosts: ['*.Example.com'] }, { host: 'a.example.com' }, { host: 'example.com' }],
    ['a prefix of the path', { paths: ['/api/'] }, { path: '/api/x' }, { path: '/x/api/' }],
    ['a pattern of the path', { paths: ['/*.css'] }, { path: '/a/b.css' }, { path: '/a.css/b' }],
    ['a method', { methods: ['post'] }, { method: 'POST' }, { method: 'GET' }],
    [
      'a field',
      { headers: { 'x-canary': 'yes' } },
      { fields: [['X-Canary', 'yes']] },
      { fields: [['X-Canary', 'no']] },
    ],
    ['any value of a field', { headers: { 'X-Canary': '*' } }, { fields: [['x-canary', '']] }, { fields: [] }],
    ['a network', { clients: ['10.0.0.0/8'] }, { clientAddress: '10.1.2.3' }, { clientAddress: '11.1.2.3' }],
    ['all at once', { methods: ['GET'], paths: ['/a'] }, { path: '/a' }, { path: '/a', method: 'PUT' }],
  ])('fires for %s and for nothing else', (_, when, fitting, other) => {
    expect(fires(when, fitting)).toBe(true);
    expect(fires(when, other)).toBe(false);
  });

  it('lets the first rule that fits win', () => {
    const strategy = strategyOf(
      { when: { paths: ['/a/'] }, answer: { status: 418 } },
      { answer: { status: 503, headers: { 'Retry-After': '60' }, body: 'later' } },
    );
    expect(strategy.answer?.(routingRequest({ path: '/a/b' }))?.status).toBe(418);
    expect(strategy.answer?.(routingRequest())).toEqual({
      status: 503,
      fields: [['Retry-After', '60']],
      body: 'later',
    });
  });

  it('P4 takes the transport of its rule, and the other one when that is down', () => {
    const strategy = strategyOf({ when: { paths: ['/poll'] }, use: { transport: 'tcp' } });
    expect(strategy.select([grpc, tcp], routingRequest({ path: '/poll' })).candidate).toBe(tcp);
    expect(strategy.select([grpc], routingRequest({ path: '/poll' })).candidate).toBe(grpc);
  });

  it('asks agents with the label alone, and none when nobody has it', () => {
    const canary = candidate('b', { labels: ['canary'], inFlight: 9 });
    const strategy = strategyOf({ use: { label: 'canary', target: 'next', urgency: 1 } });
    const decision = { candidate: canary, target: 'next', urgency: 1 };
    expect(strategy.select([grpc, canary], routingRequest())).toEqual(decision);
    expect(strategy.select([grpc], routingRequest())).toEqual({ candidate: undefined });
  });

  it('serves what fits no rule as the strategy hybrid does', () => {
    const strategy = strategyOf({ when: { hosts: ['other.test'] }, answer: { status: 404 } });
    expect(strategy.answer?.(routingRequest())).toBeUndefined();
    expect(strategy.select([grpc, tcp], routingRequest({ path: '/ws/' })).candidate).toBe(tcp);
    expect(strategy.select([tcp, grpc], routingRequest()).candidate).toBe(grpc);
  });

  it('says which rule fires and why', () => {
    const strategy = strategyOf(
      { name: 'maintenance', when: { hosts: ['old.test'] }, answer: { status: 410, body: 'gone' } },
      { when: { paths: ['/api/'], methods: ['GET'] }, use: { label: 'eu', target: 'next', urgency: 6 } },
    );
    expect(strategy.explain?.(routingRequest({ host: 'old.test' }))).toBe(
      'rule 1 (maintenance) fires, because host old.test is old.test: the edge answers 410 by itself, with a body of 4 bytes',
    );
    expect(strategy.explain?.(routingRequest({ path: '/api/x' }))).toBe(
      'rule 2 fires, because method is GET and path begins with /api/: an agent with the label eu, over gRPC, to its target next, with urgency 6',
    );
    expect(strategy.explain?.(routingRequest())).toMatch(/^no rule fits: over gRPC, because /);
  });

  it.each([
    ['both use and answer', { use: {}, answer: { status: 200 } }],
    ['neither', { when: {} }],
    ['an urgency that RFC 9218 does not have', { use: { urgency: 8 } }],
    ['a status that is no final one', { answer: { status: 101 } }],
    ['a field that frames the answer', { answer: { status: 200, headers: { 'Content-Length': '5' } } }],
    ['a value that splits the answer', { answer: { status: 200, headers: { 'X-A': 'a\r\nSet-Cookie: b' } } }],
    ['an unknown key', { when: { path: '/' }, use: {} }],
    ['a network that is none', { when: { clients: ['10.0.0.0/99'] }, use: {} }],
  ])('refuses a rule with %s', (_, rule) => {
    expect(extension.options.safeParse({ rules: [rule] }).success).toBe(false);
  });
});

describe('fitsWildcard()', () => {
  it.each([
    ['', '', true],
    ['', '*', true],
    ['abc', 'abc', true],
    ['abc', 'ab', false],
    ['abc', 'a*c', true],
    ['abcbc', 'a*bc', true],
    ['abcb', 'a*bc', false],
    ['abc', '*b*', true],
    ['abc', '**', true],
    ['ab', '*b*c', false],
  ])('%j fits %j: %s', (text, pattern, fits) => {
    expect(fitsWildcard(text, pattern)).toBe(fits);
  });
});
