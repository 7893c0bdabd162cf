import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codes, type ErrorCode } from '../../src/errors/codes.ts';
import {
  decodeHello,
  decodeReason,
  decodeWelcome,
  encodeHandshake,
  encodeReason,
  type Hello,
  protocolVersion,
  type Welcome,
} from '../../src/protocol/handshake.ts';
import { bufferArbitrary } from '../support/raw-frames.ts';

const hello: Hello = {
  version: protocolVersion,
  software: 'giraffe/0.1.0',
  capabilities: ['exchange'],
  token: 'secret',
  agentId: 'agent-1234',
  generation: 3,
  endpoints: ['app.test', null],
};
const welcome: Welcome = {
  software: 'giraffe/0.1.0',
  capabilities: ['exchange', 'relay'],
  sessionId: 's1',
  endpoints: [{ host: 'app.test', url: 'https://app.test/' }],
  ports: { grpc: 4444, tunnel: 4443 },
  keepAliveMs: 15_000,
  maxStreams: 100,
};

const headerRules = (name: string, value: string) => ({ remove: [], set: { [name]: value }, add: {} });
const payload = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const broken = expect.objectContaining({ code: 'GIR_ERR_PROTOCOL' });

function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('HELLO', () => {
  it('comes out as it went in', () => {
    const name = fc.string({ minLength: 1, maxLength: 253, unit: 'grapheme-ascii' });
    const arbitrary: fc.Arbitrary<Hello> = fc.record(
      {
        version: fc.constant(protocolVersion),
        software: fc.string({ maxLength: 100 }),
        capabilities: fc.array(fc.string({ maxLength: 50 }), { maxLength: 50 }),
        token: fc.string({ maxLength: 8192, size: 'max' }),
        agentId: fc.stringMatching(/^[A-Za-z0-9_-]{8,64}$/),
        generation: fc.maxSafeNat(),
        endpoints: fc.array(fc.oneof(name, fc.constant(null)), { maxLength: 100 }),
        ticket: fc.string({ maxLength: 100 }),
      },
      { requiredKeys: ['version', 'software', 'capabilities', 'token', 'agentId', 'generation', 'endpoints'] },
    );
    fc.assert(
      fc.property(arbitrary, (value) => {
        expect(decodeHello(encodeHandshake(value))).toEqual(value);
      }),
    );
  });

  it('loses fields that this release does not know', () => {
    expect(decodeHello(payload({ ...hello, region: 'eu', nested: { a: 1 } }))).toEqual(hello);
  });

  it.each([
    ['the rest is in order', { ...hello, version: 7 }],
    ['there is nothing else', { version: 7 }],
    ['everything else has the wrong type', { version: 7, token: 1, endpoints: 'x', capabilities: {}, agentId: null }],
  ])('of another version is told both versions when %s', (_when, value) => {
    expect(() => decodeHello(payload(value))).toThrow(
      expect.objectContaining({
        code: 'GIR_ERR_PROTOCOL_VERSION',
        message: expect.stringMatching(new RegExp(`version ${protocolVersion}\\b.*version 7\\b`)),
      }),
    );
  });

  it.each([
    ['no version', { ...hello, version: undefined }],
    ['a version that is a string', { ...hello, version: '1' }],
    ['a version that is a fraction', { ...hello, version: 1.5 }],
    ['a software name of 101 characters', { ...hello, software: 'x'.repeat(101) }],
    ['51 capabilities', { ...hello, capabilities: Array.from({ length: 51 }, () => 'x') }],
    ['a capability of 51 characters', { ...hello, capabilities: ['x'.repeat(51)] }],
    ['a token of 8193 characters', { ...hello, token: 'x'.repeat(8193) }],
    ['an agent id of 7 characters', { ...hello, agentId: 'x'.repeat(7) }],
    ['an agent id of 65 characters', { ...hello, agentId: 'x'.repeat(65) }],
    ['an agent id with a line feed', { ...hello, agentId: 'agent-1234\n' }],
    ['a negative generation', { ...hello, generation: -1 }],
    ['a generation beyond what can be counted', { ...hello, generation: 2 ** 53 }],
    ['101 endpoints', { ...hello, endpoints: Array.from({ length: 101 }, () => null) }],
    ['an empty endpoint', { ...hello, endpoints: [''] }],
    ['an endpoint of 254 characters', { ...hello, endpoints: ['x'.repeat(254)] }],
    ['101 policies', { ...hello, policies: Array.from({ length: 101 }, () => null) }],
    ['a policy with an unknown part', { ...hello, policies: [{ rateLimits: {} }] }],
    ['a rate limit that is negative', { ...hello, policies: [{ rateLimit: { rpm: -1, burst: 0, announce: true } }] }],
    ['a rate limit without a burst', { ...hello, policies: [{ rateLimit: { rpm: 1, announce: true } }] }],
    ['a time-out that no timer keeps', { ...hello, policies: [{ idleTimeoutMs: 2 ** 31 }] }],
    ['a network that is none', { ...hello, policies: [{ denyAddresses: ['10.0.0.0/33'] }] }],
    ['an origin with a path', { ...hello, policies: [{ allowedOrigins: ['https://a.test/x'] }] }],
    ['a rule that touches framing', { ...hello, policies: [{ requestHeaders: headerRules('Content-Length', 'x') }] }],
    ['a rule that touches Host', { ...hello, policies: [{ requestHeaders: headerRules('host', 'x') }] }],
    ['a rule with a line break', { ...hello, policies: [{ responseHeaders: headerRules('X-A', 'a\r\nX-B: b') }] }],
    ['101 origins', { ...hello, policies: [{ allowedOrigins: Array.from({ length: 101 }, () => '*') }] }],
    ['a ticket of 101 characters', { ...hello, ticket: 'x'.repeat(101) }],
    ['a list instead of an object', [hello]],
    ['null', null],
    ['a number', 1],
  ])('with %s is refused', (_what, value) => {
    expect(() => decodeHello(payload(value))).toThrow(broken);
  });

  it('brings policies along, one for each endpoint', () => {
    const policies = [
      {
        rateLimit: { rpm: 600, burst: 0, announce: true },
        breaker: { failures: 3, openMs: 1000, statuses: [502] },
        allowedOrigins: ['https://*.example.com'],
        responseHeaders: headerRules('X-A', 'a'),
        denyAddresses: ['2001:db8::/32'],
      },
      null,
    ];
    expect(decodeHello(payload({ ...hello, policies })).policies).toEqual(policies);
  });

  it('brings labels and a weight along, within their bounds', () => {
    const labels = Array.from({ length: 20 }, (_, index) => `region=eu-${index}`);
    const full: Hello = { ...hello, labels, weight: 1000 };
    expect(decodeHello(encodeHandshake(full))).toEqual(full);
    const refused = [
      { labels: [...labels, 'one-more'] },
      { labels: ['x'.repeat(64)] },
      { labels: ['Region'] },
      { labels: [''] },
      { weight: 0 },
      { weight: 1001 },
      { weight: 1.5 },
    ];
    for (const part of refused) expect(thrownBy(() => decodeHello(payload({ ...hello, ...part })))).toEqual(broken);
  });

  it('is accepted at each of its bounds', () => {
    const largest: Hello = {
      ...hello,
      software: 'x'.repeat(100),
      capabilities: Array.from({ length: 50 }, () => 'x'.repeat(50)),
      token: 'x'.repeat(8192),
      agentId: 'x'.repeat(64),
      generation: Number.MAX_SAFE_INTEGER,
      endpoints: Array.from({ length: 100 }, () => 'x'.repeat(253)),
      ticket: 'x'.repeat(100),
    };
    expect(decodeHello(payload(largest))).toEqual(largest);
  });

  it('names the broken parts in a short message that repeats nothing of a secret', () => {
    const thrown = thrownBy(() =>
      decodeHello(payload({ ...hello, token: ['secret'], endpoints: Array.from({ length: 5000 }, () => 1) })),
    );
    expect(thrown).toMatchObject({ code: 'GIR_ERR_PROTOCOL', message: expect.stringContaining('token') });
    expect((thrown as Error).message).not.toContain('secret');
    expect((thrown as Error).message.length).toBeLessThan(500);
  });

  it.each([
    ['a __proto__ key', `{"__proto__":{"isAdmin":true},${JSON.stringify(hello).slice(1)}`],
    ['a constructor key', `{"constructor":{"prototype":{"isAdmin":true}},${JSON.stringify(hello).slice(1)}`],
  ])('takes no harm from %s', (_what, text) => {
    const decoded = decodeHello(Buffer.from(text));
    expect(decoded).toEqual(hello);
    expect('isAdmin' in decoded).toBe(false);
    expect('isAdmin' in {}).toBe(false);
  });

  it('cannot borrow its fields from __proto__', () => {
    expect(() => decodeHello(Buffer.from(`{"__proto__":${JSON.stringify(hello)}}`))).toThrow(broken);
  });

  it.each([
    ['no JSON', 'GET / HTTP/1.1'],
    ['an empty payload', ''],
    ['nesting as deep as a frame can hold', '['.repeat(16_384)],
    ['closed nesting as deep as a frame can hold', `${'['.repeat(8192)}${']'.repeat(8192)}`],
    ['octets that are no UTF-8', '\xff\xfe{}'],
  ])('is refused when it is %s', (_what, text) => {
    expect(() => decodeHello(Buffer.from(text, 'latin1'))).toThrow(broken);
  });

  it('of any octets or any JSON is read or refused with a code', () => {
    const keys = fc.constantFrom(...Object.keys(hello), '__proto__');
    const json = fc.oneof(
      fc.json().map((text) => Buffer.from(text)),
      fc.dictionary(keys, fc.jsonValue()).map((part) => payload({ ...hello, ...part })),
      bufferArbitrary(60),
    );
    fc.assert(
      fc.property(json, (octets) => {
        const thrown = thrownBy(() => decodeHello(octets)) as { code?: string } | undefined;
        const code = thrown === undefined ? undefined : (thrown.code ?? thrown);
        expect([undefined, 'GIR_ERR_PROTOCOL', 'GIR_ERR_PROTOCOL_VERSION']).toContain(code);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('WELCOME', () => {
  it('comes out as it went in, without fields that this release does not know', () => {
    expect(decodeWelcome(encodeHandshake(welcome))).toEqual(welcome);
    expect(decodeWelcome(payload({ ...welcome, motd: 'hi' }))).toEqual(welcome);
  });

  it.each([
    ['a port above 65535', { ...welcome, ports: { grpc: 65_536, tunnel: 1 } }],
    ['a missing port', { ...welcome, ports: { grpc: 1 } }],
    ['a keep-alive of 0', { ...welcome, keepAliveMs: 0 }],
    ['no place for streams', { ...welcome, maxStreams: 0 }],
    ['101 endpoints', { ...welcome, endpoints: Array.from({ length: 101 }, () => welcome.endpoints[0]) }],
    ['an endpoint without a url', { ...welcome, endpoints: [{ host: 'a' }] }],
    ['a url of 2049 characters', { ...welcome, endpoints: [{ host: 'a', url: 'x'.repeat(2049) }] }],
    ['null', null],
  ])('with %s is refused', (_what, value) => {
    expect(() => decodeWelcome(payload(value))).toThrow(broken);
  });
});

describe('reasons', () => {
  it('come out as they went in, for every code', () => {
    const known = Object.keys(codes) as ErrorCode[];
    fc.assert(
      fc.property(
        fc.constantFrom(...known),
        fc.string({ minLength: 1, maxLength: 500, unit: 'grapheme' }),
        (code, detail) => {
          const reason = decodeReason(encodeReason(code, detail));
          expect(reason.code).toBe(code);
          expect(reason.message).toBe(detail.slice(0, 500));
        },
      ),
    );
  });

  it('without a detail say what the table says', () => {
    expect(decodeReason(encodeReason('GIR_ERR_DRAINING')).message).toBe(codes.GIR_ERR_DRAINING.summary);
  });

  it('keep at most 500 characters of the detail, whichever end is generous', () => {
    const long = 'x'.repeat(10_000);
    expect(encodeReason('GIR_ERR_DRAINING', long).length).toBeLessThan(600);
    expect(decodeReason(Buffer.from(`GIR_ERR_DRAINING\n${long}`)).message).toBe('x'.repeat(500));
  });

  it.each(['', 'GIR_ERR_FROM_THE_FUTURE', '__proto__', 'constructor', 'toString', 'GIR_ERR_DRAINING ', '\nx'])(
    'with the unknown code %j become GIR_ERR_INTERNAL',
    (text) => {
      expect(decodeReason(Buffer.from(text)).code).toBe('GIR_ERR_INTERNAL');
    },
  );

  it('with an unknown code show it escaped and cut', () => {
    const { message } = decodeReason(Buffer.from(`\x1b[31m${'x'.repeat(1000)}`));
    expect(message).toContain('\\u001b[31mx');
    expect(message.length).toBeLessThan(200);
  });

  it('of any octets can be read', () => {
    const known = Object.keys(codes);
    fc.assert(
      fc.property(bufferArbitrary(100), (octets) => {
        expect(known).toContain(decodeReason(octets).code);
      }),
    );
  });
});
