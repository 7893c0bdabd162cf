import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/config-schema.ts';
import { edgePolicyOf, healthCheckOf, tunnelPolicyOf } from '../../../src/host/settings/policy-settings.ts';
import { tunnelPolicySchema } from '../../../src/protocol/tunnel-policy.ts';

function tunnel(policy: object) {
  const { tunnels } = configSchema.parse({ tunnels: { web: { target: 3000, ...policy } } });
  return tunnels['web'] ?? expect.fail('no tunnel');
}

const settings = { rateLimitRpm: 1000, rateLimitBurst: 100 };

/** A file that says something about every part. */
const everything = {
  rateLimit: { rpm: 600, burst: 50 },
  clientRateLimit: { rpm: 60, announce: false },
  maxConcurrent: 10,
  maxWebSockets: 5,
  breaker: { failures: 3, openFor: '5s', statuses: [502, 503] },
  allowedOrigins: ['https://app.example.com', 'https://*.example.org'],
  cors: { methods: ['GET', 'PUT'], headers: ['*'], maxAge: '1h', credentials: true },
  headers: { request: { set: { 'X-A': 'a' }, remove: ['X-B'] }, response: { add: { 'X-C': 'c' } } },
  allowAddresses: ['10.0.0.0/8'],
  denyAddresses: ['10.1.2.3'],
  maxBodySize: '10MiB',
  requestTimeout: '2m',
  idleTimeout: '1h',
};

describe('tunnelPolicyOf()', () => {
  it('is empty for a tunnel that says nothing about protection', () => {
    expect(tunnelPolicyOf(tunnel({}))).toEqual({});
  });

  it('gives every part of a file to the edge, in a form that the edge accepts', () => {
    const policy = tunnelPolicyOf(tunnel(everything));
    expect(policy).toEqual({
      rateLimit: { rpm: 600, burst: 50, announce: true },
      clientRateLimit: { rpm: 60, burst: 0, announce: false },
      maxConcurrent: 10,
      maxWebSockets: 5,
      breaker: { failures: 3, openMs: 5000, statuses: [502, 503] },
      allowedOrigins: ['https://app.example.com', 'https://*.example.org'],
      cors: { methods: ['GET', 'PUT'], headers: ['*'], exposedHeaders: [], credentials: true, maxAgeSeconds: 3600 },
      requestHeaders: { remove: ['X-B'], set: { 'X-A': 'a' }, add: {} },
      responseHeaders: { remove: [], set: {}, add: { 'X-C': 'c' } },
      allowAddresses: ['10.0.0.0/8'],
      denyAddresses: ['10.1.2.3'],
      maxBodyBytes: 10 * 1024 * 1024,
      requestTimeoutMs: 120_000,
      idleTimeoutMs: 3_600_000,
    });
    expect(tunnelPolicySchema.parse(policy)).toEqual(policy);
    expect(Object.keys(policy).sort()).toEqual(Object.keys(tunnelPolicySchema.shape).sort());
  });

  it.each([
    [{ rateLimit: { burst: 5 } }, 'rateLimit'],
    [{ rateLimit: { rpm: -1 } }, 'rateLimit'],
    [{ breaker: { failures: 3, statuses: [200] } }, 'breaker'],
    [{ allowedOrigins: ['app.example.com'] }, 'allowedOrigins'],
    [{ denyAddresses: ['10.0.0.0/33'] }, 'denyAddresses'],
    [{ headers: { request: { set: { Host: 'x' } } } }, 'headers'],
    [{ headers: { response: { remove: ['Content-Length'] } } }, 'headers'],
    [{ headers: { response: { set: { 'X-A': 'a\r\nb' } } } }, 'headers'],
    [{ idleTimeout: 0 }, 'idleTimeout'],
    [{ health: { path: 'healthz' } }, 'health'],
  ])('a file with %j is refused at that place', (policy, place) => {
    const result = configSchema.safeParse({ tunnels: { web: { target: 3000, ...policy } } });
    expect(result.error?.issues[0]?.path.slice(0, 3)).toEqual(['tunnels', 'web', place]);
  });
});

describe('healthCheckOf()', () => {
  it('fills its defaults in', () => {
    const { health } = tunnel({ health: { path: '/healthz' } });
    expect(health && healthCheckOf(health)).toEqual({
      path: '/healthz',
      intervalMs: 10_000,
      timeoutMs: 5000,
      unhealthyAfter: 2,
      healthyAfter: 1,
    });
  });
});

describe('edgePolicyOf()', () => {
  it('P1 has the rate limit of the specification, and does not tell those about it whom it does not concern', () => {
    expect(edgePolicyOf(settings)).toEqual({
      defaults: { rateLimit: { rpm: 1000, burst: 100, announce: false } },
      policies: [],
      clientRateLimit: undefined,
      maxConnectionsPerClient: 0,
      allowAddresses: [],
      denyAddresses: [],
      proxyProtocolPeers: [],
    });
  });

  it('tells everybody about a rate limit that somebody has set', () => {
    expect(edgePolicyOf({ ...settings, rateLimitRpm: 60 }).defaults.rateLimit?.announce).toBe(true);
    expect(edgePolicyOf(settings, { defaults: { rateLimit: { announce: true } } }).defaults.rateLimit?.announce).toBe(
      true,
    );
  });

  it('takes over what the section says', () => {
    const { rateLimit: _, ...defaults } = everything;
    const { server } = configSchema.parse({
      server: {
        defaults,
        policies: [{ endpoints: ['*.example.com'], rateLimit: { rpm: 0 } }],
        clientRateLimit: { rpm: 100 },
        maxConnectionsPerClient: 50,
        denyAddresses: ['192.0.2.0/24'],
        proxyProtocol: ['10.0.0.1'],
      },
    });
    expect(edgePolicyOf(settings, server)).toMatchObject({
      defaults: { maxConcurrent: 10, rateLimit: { rpm: 1000 } },
      policies: [{ endpoints: ['*.example.com'], policy: { rateLimit: { rpm: 0, burst: 0, announce: true } } }],
      clientRateLimit: { rpm: 100, burst: 0, announce: true },
      maxConnectionsPerClient: 50,
      denyAddresses: ['192.0.2.0/24'],
      proxyProtocolPeers: ['10.0.0.1'],
    });
  });
});
