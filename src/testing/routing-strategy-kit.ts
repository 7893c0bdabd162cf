/** What every routing strategy must keep, whatever it chooses. */
import assert from 'node:assert/strict';
import type { Candidate, NonEmpty, RoutingRequest, RoutingStrategy } from '../extension/index.ts';
import { assertForwardableTrailers } from '../http/field-validation.ts';
import { type ConformanceCheck, frozen, plainRequest as plain, withInstance } from './conformance.ts';

function agent(agentId: string, rest: Partial<Candidate> = {}): Candidate {
  const base = { sessionId: `session-${agentId}`, agentId, transport: 'grpc', inFlight: 0, weight: 1 } as const;
  return { ...base, isHealthy: true, labels: [], ...rest };
}

const one = agent('one');
const lists: readonly NonEmpty<Candidate>[] = frozen([
  [one],
  [one, agent('one', { transport: 'tcp' }), agent('two', { weight: 1000, labels: ['region=eu'] })],
  [agent('two', { isHealthy: false }), agent('one', { isHealthy: false, transport: 'tcp', inFlight: 1_000_000 })],
  [agent('three', { transport: 'tcp' })],
]);

const requests: readonly RoutingRequest[] = frozen([
  plain,
  {
    ...plain,
    method: 'POST',
    path: '/api/items',
    fields: [
      ['Cookie', 'a=1; =; b'],
      ['cookie', ''],
    ],
  },
  {
    ...plain,
    path: '/socket.io/',
    isUpgrade: true,
    fields: [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
    ],
  },
  { ...plain, host: '__proto__', path: `/${'x'.repeat(5000)}`, clientAddress: '' },
  { ...plain, method: 'OPTIONS', path: '*', clientAddress: '2001:db8::1' },
]);

/** Returns the checks for a strategy. @param make Makes an instance, with options of your choice. */
export function routingStrategyKit(
  make: () => Promise<RoutingStrategy & Partial<AsyncDisposable>>,
): readonly ConformanceCheck[] {
  const each = (use: (strategy: RoutingStrategy, request: RoutingRequest) => void) => () =>
    withInstance(make, (strategy) => {
      for (let round = 0; round < 3; round += 1) for (const request of requests) use(strategy, request);
    });
  return [
    {
      name: 'chooses one of the candidates or none, at once and without changing anything',
      run: each((strategy, request) => {
        for (const candidates of lists) {
          const { candidate } = strategy.select(candidates, request);
          assert(candidate === undefined || candidates.includes(candidate), 'it chose none of the candidates');
        }
      }),
    },
    {
      name: 'adds only field lines that can be sent, and names only targets and urgencies that can exist',
      run: each((strategy, request) => {
        for (const candidates of lists) {
          const { responseFields = [], target, urgency = 3 } = strategy.select(candidates, request);
          assertForwardableTrailers(responseFields);
          assert(Number.isInteger(urgency) && urgency >= 0 && urgency <= 7, `urgency ${urgency}`);
          assert.match(target ?? 'none', /^[A-Za-z][A-Za-z0-9_-]{0,62}$/);
        }
      }),
    },
    {
      name: 'answers with a final status and a body that is a text, if it answers',
      run: each((strategy, request) => {
        const { status, fields, body } = strategy.answer?.(request) ?? { status: 200, fields: [], body: '' };
        assert(Number.isInteger(status) && status >= 200 && status <= 599, `status ${status}`);
        assert.equal(typeof body, 'string');
        assertForwardableTrailers(fields);
      }),
    },
    {
      name: 'explains itself with a text, if it explains',
      run: each((strategy, request) => assert.notEqual(strategy.explain?.(request) ?? 'none', '')),
    },
  ];
}
