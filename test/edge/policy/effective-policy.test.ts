import { describe, expect, it } from 'vitest';
import { effectivePolicy } from '../../../src/edge/policy/effective-policy.ts';

const rate = (rpm: number, burst = 0, announce = false) => ({ rpm, burst, announce });
const nobody = { defaults: {}, policies: [] };

describe('effectivePolicy()', () => {
  it('is nothing when nobody says anything', () => {
    expect(effectivePolicy(nobody, 'app.test')).toBeUndefined();
    expect(effectivePolicy(nobody, 'app.test', {})).toBeUndefined();
  });

  it('lets the agent be stricter than the operator, and never looser', () => {
    const operator = {
      defaults: { rateLimit: rate(100, 10), maxConcurrent: 5, maxBodyBytes: 1000, requestTimeoutMs: 30 },
      policies: [],
    };
    expect(
      effectivePolicy(operator, 'app.test', {
        rateLimit: rate(200, 5, true),
        maxConcurrent: 9,
        maxBodyBytes: 10,
        requestTimeoutMs: 99,
      }),
    ).toMatchObject({ rateLimit: rate(100, 5, true), maxConcurrent: 5, maxBodyBytes: 10, requestTimeoutMs: 30 });
  });

  it('does not let an agent switch an operator’s limit off with 0', () => {
    const operator = {
      defaults: { rateLimit: rate(100), maxConcurrent: 5, breaker: { failures: 3, openMs: 1, statuses: [] } },
      policies: [],
    };
    const wish = { rateLimit: rate(0), maxConcurrent: 0, breaker: { failures: 0, openMs: 1, statuses: [] } };
    expect(effectivePolicy(operator, 'app.test', wish)).toMatchObject({
      rateLimit: rate(100),
      maxConcurrent: 5,
      breaker: { failures: 3 },
    });
  });

  it('takes the operator’s first policy that names the endpoint, part by part over the defaults', () => {
    const operator = {
      defaults: { rateLimit: rate(100), maxConcurrent: 5 },
      policies: [
        { endpoints: ['api.test'], policy: { rateLimit: rate(0) } },
        { endpoints: ['*'], policy: { rateLimit: rate(7) } },
      ],
    };
    expect(effectivePolicy(operator, 'api.test')).toMatchObject({ rateLimit: undefined, maxConcurrent: 5 });
    expect(effectivePolicy(operator, 'app.test')).toMatchObject({ rateLimit: rate(7), maxConcurrent: 5 });
  });

  it('keeps both lists of origins and addresses, and applies the operator’s header rules last', () => {
    const rules = (name: string) => ({ remove: [name], set: {}, add: {} });
    const operator = {
      defaults: { allowedOrigins: ['https://a.test'], denyAddresses: ['192.0.2.1'], requestHeaders: rules('A') },
      policies: [],
    };
    const wish = { allowedOrigins: ['*'], denyAddresses: ['192.0.2.2'], requestHeaders: rules('B') };
    expect(effectivePolicy(operator, 'app.test', wish)).toMatchObject({
      allowedOrigins: [['https://a.test'], ['*']],
      denyAddresses: ['192.0.2.1', '192.0.2.2'],
      requestHeaders: [rules('B'), rules('A')],
    });
  });
});
