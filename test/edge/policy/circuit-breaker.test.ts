import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from '../../../src/edge/policy/circuit-breaker.ts';

const pass = { kind: 'pass', isProbe: false };
const probe = { kind: 'pass', isProbe: true };

function opened(): CircuitBreaker {
  const breaker = new CircuitBreaker({ failures: 3, openMs: 1000 });
  for (let failure = 0; failure < 3; failure += 1) breaker.settle('failure', false, 0);
  return breaker;
}

describe('CircuitBreaker', () => {
  it('P2 tells each change of its state once', () => {
    const told: string[] = [];
    const breaker = new CircuitBreaker({ failures: 1, openMs: 1000 }, (state) => told.push(state));
    breaker.settle('success', false, 0);
    breaker.settle('failure', false, 0);
    breaker.admit(500);
    breaker.admit(1000);
    breaker.settle(undefined, true, 1000);
    breaker.admit(1001);
    breaker.settle('failure', true, 1002);
    breaker.admit(3000);
    breaker.settle('success', true, 3000);
    expect(told).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  it('P2 opens with the last of N failures in a row, and not before', () => {
    const breaker = new CircuitBreaker({ failures: 3, openMs: 1000 });
    breaker.settle('failure', false, 0);
    breaker.settle('failure', false, 0);
    expect([breaker.state(0), breaker.admit(0)]).toEqual(['closed', pass]);
    breaker.settle('failure', false, 0);
    expect([breaker.state(0), breaker.admit(0)]).toEqual(['open', { kind: 'open', waitMs: 1000 }]);
  });

  it('begins to count anew after a success, and does not count what says nothing', () => {
    const breaker = new CircuitBreaker({ failures: 2, openMs: 1000 });
    for (const vote of ['failure', 'success', 'failure', undefined] as const) breaker.settle(vote, false, 0);
    expect(breaker.state(0)).toBe('closed');
    breaker.settle('failure', false, 0);
    expect(breaker.state(0)).toBe('open');
  });

  it('P2 lets one exchange find out when the time is over, and closes when it succeeds', () => {
    const breaker = opened();
    expect(breaker.admit(999)).toEqual({ kind: 'open', waitMs: 1 });
    expect([breaker.state(1000), breaker.admit(1000)]).toEqual(['half-open', probe]);
    expect(breaker.admit(1000).kind).toBe('open');
    breaker.settle('success', true, 1001);
    expect([breaker.state(1001), breaker.admit(1001), breaker.admit(1001)]).toEqual(['closed', pass, pass]);
  });

  it('P2 opens again for the whole time when that one fails', () => {
    const breaker = opened();
    breaker.admit(1000);
    breaker.settle('failure', true, 1500);
    expect([breaker.admit(1500), breaker.admit(2499).kind, breaker.admit(2500)]).toEqual([
      { kind: 'open', waitMs: 1000 },
      'open',
      probe,
    ]);
  });

  it('lets the next one find out when that one says nothing', () => {
    const breaker = opened();
    breaker.admit(1000);
    breaker.settle(undefined, true, 1001);
    expect(breaker.admit(1001)).toEqual(probe);
  });

  it('does not listen to exchanges from before it opened', () => {
    const breaker = opened();
    breaker.settle('success', false, 10);
    expect(breaker.state(10)).toBe('open');
    breaker.admit(1000);
    breaker.settle('failure', false, 1001);
    breaker.settle('success', true, 1002);
    expect(breaker.state(1002)).toBe('closed');
  });
});
