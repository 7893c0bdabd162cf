import { describe, expect, it } from 'vitest';
import { type Admission, freeAdmission, type Verdict } from '../../../src/edge/policy/admission.ts';
import { type EdgePolicy, noPolicy, PolicyGate } from '../../../src/edge/policy/policy-gate.ts';
import { GiraffeError } from '../../../src/errors/giraffe-error.ts';
import type { FieldLines } from '../../../src/http/field-line.ts';
import type { TunnelPolicy } from '../../../src/protocol/tunnel-policy.ts';

interface Asked {
  readonly host?: string;
  readonly client?: string;
  readonly method?: string;
  readonly isUpgrade?: boolean;
  readonly fields?: FieldLines;
  readonly bytes?: number;
}

/** A gate whose clock is set by the test. Every host but `unknown.test` is an endpoint, and one is served. */
function gateWith(options: Partial<EdgePolicy>) {
  const clock = { nowMs: 0 };
  const gate = new PolicyGate(
    { ...noPolicy, ...options },
    { isTunnel: (host) => host !== 'unknown.test', isServed: (host) => host === 'served.test' },
    () => clock.nowMs,
  );
  const ask = ({ host = 'app.test', client = '192.0.2.1', method = 'GET', ...rest }: Asked = {}): Verdict =>
    gate.admit({
      routing: {
        method,
        host,
        path: '/',
        fields: [['Host', host], ...(rest.fields ?? [])],
        isUpgrade: rest.isUpgrade ?? false,
        clientAddress: client,
      },
      announcedBytes: rest.bytes ?? 0,
    });
  return { gate, clock, ask };
}

const policed = (defaults: TunnelPolicy): ReturnType<typeof gateWith> => gateWith({ defaults });

function outcome(verdict: Verdict): string {
  return verdict.kind === 'refused' ? verdict.error.code : verdict.kind;
}

function admitted(verdict: Verdict): Admission {
  return verdict.kind === 'admitted' ? verdict.admission : expect.fail(outcome(verdict));
}

function fieldsOf(verdict: Verdict): FieldLines {
  return verdict.kind === 'refused' ? verdict.error.fields : expect.fail('not refused');
}

const response = (fields: FieldLines = []) => ({
  status: 200,
  reason: 'OK',
  minorVersion: 1 as const,
  fields,
  body: { kind: 'none' as const },
});

const rate = (rpm: number, burst = 0, announce = true) => ({ rpm, burst, announce });

describe('PolicyGate', () => {
  it('does nothing at all where nothing is configured', () => {
    const { ask } = gateWith({});
    expect(admitted(ask())).toBe(freeAdmission);
    expect(admitted(ask({ host: 'unknown.test' }))).toBe(freeAdmission);
  });

  it('P1 counts exactly: 600 of 1,000 requests pass, and one more after 100 ms', () => {
    const { ask, clock } = policed({ rateLimit: rate(600) });
    const outcomes = Array.from({ length: 1000 }, () => outcome(ask()));
    expect(outcomes.filter((one) => one === 'admitted')).toHaveLength(600);
    expect(outcomes.filter((one) => one === 'GIR_ERR_RATE_LIMITED')).toHaveLength(400);
    clock.nowMs = 99;
    expect(outcome(ask())).toBe('GIR_ERR_RATE_LIMITED');
    clock.nowMs = 100;
    expect([outcome(ask()), outcome(ask())]).toEqual(['admitted', 'GIR_ERR_RATE_LIMITED']);
  });

  it('P1 tells the quota with a refusal, and with every answer when it is announced', () => {
    const { ask } = policed({ rateLimit: rate(60, 1), clientRateLimit: rate(61, 0, false) });
    expect(admitted(ask()).responseHead(response([['A', 'b']])).fields).toEqual([
      ['A', 'b'],
      ['RateLimit-Policy', '"tunnel";q=61;w=61'],
      ['RateLimit', '"tunnel";r=60;t=1'],
    ]);
    for (let request = 1; request < 61; request += 1) ask();
    expect(fieldsOf(ask({ client: '192.0.2.2' }))).toEqual([
      ['Retry-After', '1'],
      ['RateLimit-Policy', '"tunnel";q=61;w=61'],
      ['RateLimit', '"tunnel";r=0;t=61'],
    ]);
    expect(fieldsOf(ask())).toEqual([
      ['Retry-After', '1'],
      ['RateLimit-Policy', '"client";q=61;w=60'],
      ['RateLimit', '"client";r=0;t=60'],
    ]);
  });

  it('P1 counts upgrades, and each client address by itself', () => {
    const { ask } = policed({ clientRateLimit: rate(2) });
    expect([outcome(ask({ isUpgrade: true })), outcome(ask()), outcome(ask({ isUpgrade: true }))]).toEqual([
      'admitted',
      'admitted',
      'GIR_ERR_RATE_LIMITED',
    ]);
    expect(outcome(ask({ client: '192.0.2.2' }))).toBe('admitted');
  });

  it('P1 limits a client over all endpoints, unknown ones too', () => {
    const { ask } = gateWith({ clientRateLimit: rate(2) });
    expect([ask(), ask({ host: 'unknown.test' }), ask({ host: 'other.test' })].map(outcome)).toEqual([
      'admitted',
      'admitted',
      'GIR_ERR_RATE_LIMITED',
    ]);
  });

  it('S5 keeps the state of 10,000 endpoints, and first forgets one that has none', () => {
    const { gate, clock, ask } = policed({ rateLimit: rate(60) });
    const request = (host: string): void => admitted(ask({ host })).ended(undefined);
    for (const host of ['first.test', 'second.test']) request(host);
    clock.nowMs = 1000;
    for (let n = 2; n < 10_000; n += 1) request(`n${n}.test`);
    request('first.test');
    expect(gate.rateLimit('second.test')).toMatchObject({ remaining: 60 });
    request('new.test');
    expect(gate.rateLimit('second.test')).toBeUndefined();
    expect(gate.rateLimit('first.test')).toMatchObject({ remaining: 59 });
    request('newer.test');
    expect(gate.rateLimit('first.test')).toBeUndefined();
  });

  it('S5 never forgets what the agent of an endpoint that is served asks for, however many come behind it', () => {
    const { gate, ask } = gateWith({});
    for (const host of ['served.test', 'gone.test']) gate.wish(host, { denyAddresses: ['192.0.2.1'] });
    for (let n = 1; n < 10_000; n += 1) gate.wish(`n${n}.test`, { denyAddresses: ['192.0.2.1'] });
    for (let n = 0; n < 10_000; n += 1) ask({ host: `other${n}.test` });
    expect(['served.test', 'gone.test', 'n1.test'].map((host) => outcome(ask({ host })))).toEqual([
      'GIR_ERR_ADDRESS_DENIED',
      'admitted',
      'GIR_ERR_ADDRESS_DENIED',
    ]);
  });

  it('keeps endpoints apart', () => {
    const { ask } = policed({ rateLimit: rate(1) });
    expect([ask(), ask({ host: 'other.test' }), ask()].map(outcome)).toEqual([
      'admitted',
      'admitted',
      'GIR_ERR_RATE_LIMITED',
    ]);
  });

  it('gives places back when exchanges end, and counts relays by themselves', () => {
    const { ask } = policed({ maxConcurrent: 1, maxWebSockets: 1 });
    const first = admitted(ask());
    expect(outcome(ask())).toBe('GIR_ERR_CONCURRENCY_LIMIT');
    const relay = admitted(ask({ isUpgrade: true }));
    expect(outcome(ask({ isUpgrade: true }))).toBe('GIR_ERR_WEBSOCKET_LIMIT');
    first.ended(undefined);
    relay.ended(new GiraffeError('GIR_ERR_CLIENT_GONE'));
    expect([ask(), ask({ isUpgrade: true })].map(outcome)).toEqual(['admitted', 'admitted']);
  });

  it('refuses clients that are denied, or not allowed, at the endpoint and at the edge', () => {
    const { ask } = gateWith({
      denyAddresses: ['192.0.2.66'],
      defaults: { allowAddresses: ['192.0.2.0/24', '2001:db8::/32'], denyAddresses: ['192.0.2.9'] },
    });
    const clients = ['192.0.2.1', '2001:db8::1', '192.0.2.9', '192.0.2.66', '198.51.100.1', 'nonsense'];
    expect(clients.map((client) => outcome(ask({ client })))).toEqual([
      'admitted',
      'admitted',
      ...Array.from({ length: 4 }, () => 'GIR_ERR_ADDRESS_DENIED'),
    ]);
    expect(outcome(ask({ client: '192.0.2.66', host: 'unknown.test' }))).toBe('GIR_ERR_ADDRESS_DENIED');
  });

  it('refuses a body that is announced too large', () => {
    const { ask } = policed({ maxBodyBytes: 10 });
    expect([outcome(ask({ bytes: 10 })), outcome(ask({ bytes: 11 }))]).toEqual([
      'admitted',
      'GIR_ERR_REQUEST_BODY_TOO_LARGE',
    ]);
    expect(admitted(ask()).maxBodyBytes).toBe(10);
  });

  it('P2 opens after failures of the origin, says when to come again, and closes by a probe', () => {
    const { gate, clock, ask } = policed({ breaker: { failures: 2, openMs: 2500, statuses: [503] } });
    admitted(ask()).ended(new GiraffeError('GIR_ERR_ORIGIN_REFUSED'));
    const second = admitted(ask());
    second.answered(503);
    second.ended(undefined);
    expect(gate.breaker('app.test')).toBe('open');
    expect([outcome(ask()), fieldsOf(ask())]).toEqual(['GIR_ERR_BREAKER_OPEN', [['Retry-After', '3']]]);
    clock.nowMs = 2500;
    const probe = admitted(ask());
    expect([gate.breaker('app.test'), outcome(ask())]).toEqual(['half-open', 'GIR_ERR_BREAKER_OPEN']);
    probe.answered(200);
    expect([gate.breaker('app.test'), outcome(ask())]).toEqual(['closed', 'admitted']);
  });

  it('P2 does not blame the origin for clients that leave, for the tunnel, or for statuses it may answer', () => {
    const { gate, ask } = policed({ breaker: { failures: 1, openMs: 1000, statuses: [] } });
    admitted(ask()).ended(new GiraffeError('GIR_ERR_CLIENT_GONE'));
    admitted(ask()).ended(new GiraffeError('GIR_ERR_SESSION_LOST'));
    const answered = admitted(ask());
    answered.answered(500);
    answered.ended(undefined);
    expect(gate.breaker('app.test')).toBe('closed');
  });

  it('P2 lets the next request find out when a probe’s client leaves', () => {
    const { clock, ask } = policed({ breaker: { failures: 1, openMs: 1000, statuses: [] } });
    admitted(ask()).ended(new GiraffeError('GIR_ERR_RESPONSE_TIMEOUT'));
    clock.nowMs = 1000;
    admitted(ask()).ended(new GiraffeError('GIR_ERR_CLIENT_GONE'));
    expect(outcome(ask())).toBe('admitted');
  });

  it('T8 puts other policies in force at once, keeps quotas and places, and takes all limits away again', () => {
    const { gate, ask } = policed({ rateLimit: rate(10), maxConcurrent: 10 });
    for (let request = 0; request < 8; request += 1) ask();
    gate.change({ ...noPolicy, defaults: { rateLimit: rate(9), maxConcurrent: 8 } });
    expect(outcome(ask())).toBe('GIR_ERR_CONCURRENCY_LIMIT');
    expect(outcome(ask())).toBe('GIR_ERR_RATE_LIMITED');
    gate.change(noPolicy);
    expect(admitted(ask())).toBe(freeAdmission);
  });

  it('takes the wish of the newest session, and only to be stricter', () => {
    const { gate, ask } = policed({ rateLimit: rate(5, 0, false) });
    gate.wish('app.test', { rateLimit: rate(1) });
    expect([ask(), ask()].map(outcome)).toEqual(['admitted', 'GIR_ERR_RATE_LIMITED']);
    gate.wish('app.test', { rateLimit: rate(0) });
    expect([ask(), ask(), ask(), ask(), ask()].map(outcome)).toEqual([
      ...Array.from({ length: 4 }, () => 'admitted'),
      'GIR_ERR_RATE_LIMITED',
    ]);
  });

  it('S6 refuses pages of others, and lets programs and the endpoint’s own pages pass', () => {
    const { ask } = policed({ allowedOrigins: ['https://app.example.com'] });
    const from = (origin: string, rest: Asked = {}) =>
      outcome(ask({ ...rest, fields: [...(rest.fields ?? []), ['Origin', origin]] }));
    expect([outcome(ask()), from('https://app.test'), from('https://app.example.com')]).toEqual([
      'admitted',
      'admitted',
      'admitted',
    ]);
    expect([
      from('https://evil.test'),
      from('null'),
      from('https://evil.test', { isUpgrade: true }),
      from('https://evil.test', { method: 'OPTIONS', fields: [['Access-Control-Request-Method', 'PUT']] }),
    ]).toEqual(Array.from({ length: 4 }, () => 'GIR_ERR_FOREIGN_ORIGIN'));
  });

  it('S6 answers preflights and writes CORS fields in place of the origin', () => {
    const { ask } = policed({
      allowedOrigins: ['https://a.test'],
      cors: {
        methods: ['GET', 'PUT'],
        headers: ['X-A'],
        exposedHeaders: ['X-B'],
        credentials: true,
        maxAgeSeconds: 60,
      },
    });
    const preflight = ask({
      method: 'OPTIONS',
      fields: [
        ['Origin', 'https://a.test'],
        ['Access-Control-Request-Method', 'PUT'],
      ],
    });
    expect(preflight).toEqual({
      kind: 'answered',
      fields: [
        ['Access-Control-Allow-Origin', 'https://a.test'],
        ['Vary', 'Origin'],
        ['Access-Control-Allow-Credentials', 'true'],
        ['Access-Control-Allow-Methods', 'GET, PUT'],
        ['Access-Control-Allow-Headers', 'X-A'],
        ['Access-Control-Max-Age', '60'],
      ],
    });
    const admission = admitted(ask({ fields: [['Origin', 'https://a.test']] }));
    expect(admission.responseHead(response([['access-control-allow-origin', '*']])).fields).toEqual([
      ['Access-Control-Allow-Origin', 'https://a.test'],
      ['Vary', 'Origin'],
      ['Access-Control-Allow-Credentials', 'true'],
      ['Access-Control-Expose-Headers', 'X-B'],
    ]);
    expect(admitted(ask()).responseHead(response()).fields).toEqual([['Vary', 'Origin']]);
  });

  it('S6 never lets a page have answers with credentials where every origin is let in', () => {
    const cors = { methods: ['GET'], headers: [], exposedHeaders: [], credentials: true, maxAgeSeconds: 0 };
    for (const policy of [{ cors }, { cors, allowedOrigins: ['*'] }]) {
      const admission = admitted(policed(policy).ask({ fields: [['Origin', 'https://evil.test']] }));
      const names = admission.responseHead(response()).fields.map(([name]) => name);
      expect(names).toEqual(['Access-Control-Allow-Origin', 'Vary']);
    }
  });
});
