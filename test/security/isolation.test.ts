/** S2: a token opens, joins and sees what it is scoped to, and nothing else. */
import { Client, credentials } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import { eventually } from '../support/eventually.ts';
import {
  type CarrierRecorder,
  connectForgedGrpc,
  connectForgedTls,
  helloFrame,
  plainHello,
  ticketFor,
  wire,
} from '../support/forged-carrier.ts';
import { converse, rawClient, statuses } from '../support/raw-client.ts';
import { rawFrame } from '../support/raw-frames.ts';
import { startRecordingOrigin } from '../support/recording-origin.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { startTestAgent, startTestEdge, type TestEdge, type TokenCheck, type TokenOwner } from '../support/world.ts';

const tokens: Readonly<Record<string, TokenOwner>> = {
  'token-a': { id: 'a', endpoints: ['a.test'], expiresAt: undefined },
  'token-b': { id: 'b', endpoints: ['b.test', '*.b.test'], expiresAt: undefined },
};

const authenticate: TokenCheck = async (token) => (Object.hasOwn(tokens, token) ? tokens[token] : undefined);

function startScopedEdge(): Promise<TestEdge> {
  return startTestEdge({ reconnectGraceMs: 0, handshakeTimeoutMs: 2000 }, { authenticate });
}

/** Both ways to the edge; every rule holds on each. */
const ways = [
  { way: 'gRPC', dial: (edge: TestEdge) => connectForgedGrpc(edge.edge.ports.grpc) },
  { way: 'TCP', dial: (edge: TestEdge) => connectForgedTls(edge.edge.ports.tunnel) },
] as const;

async function openSession(carrier: CarrierRecorder, overrides: Parameters<typeof helloFrame>[0]): Promise<void> {
  carrier.send(helloFrame(overrides));
  await carrier.frame(wire.welcome);
}

const get = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

describe.each(ways)('strangers over $way', ({ dial }) => {
  it.each([
    ['an unknown token', { token: 'token-c' }, 'GIR_ERR_CREDENTIALS_REFUSED'],
    ['an empty token', { token: '' }, 'GIR_ERR_CREDENTIALS_REFUSED'],
    ['the name of an object property as token', { token: '__proto__' }, 'GIR_ERR_CREDENTIALS_REFUSED'],
    ['the endpoint of another token', { token: 'token-b', endpoints: ['a.test'] }, 'GIR_ERR_ENDPOINT_REFUSED'],
    [
      'one foreign endpoint among own ones',
      { token: 'token-b', endpoints: ['b.test', 'a.test'] },
      'GIR_ERR_ENDPOINT_REFUSED',
    ],
    ['a foreign endpoint in capitals', { token: 'token-b', endpoints: ['A.TEST'] }, 'GIR_ERR_ENDPOINT_REFUSED'],
    ['a foreign endpoint with a final dot', { token: 'token-b', endpoints: ['a.test.'] }, 'GIR_ERR_ENDPOINT_REFUSED'],
    ['a suffix without its dot', { token: 'token-b', endpoints: ['evilb.test'] }, 'GIR_ERR_ENDPOINT_REFUSED'],
    [
      'an endpoint with a line break',
      { token: 'token-b', endpoints: ['x.b.test\na.test'] },
      'GIR_ERR_ENDPOINT_REFUSED',
    ],
    ['an endpoint with a pattern', { token: 'token-b', endpoints: ['*.b.test'] }, 'GIR_ERR_ENDPOINT_REFUSED'],
    ['an endpoint with a port', { token: 'token-b', endpoints: ['b.test:80'] }, 'GIR_ERR_ENDPOINT_REFUSED'],
    ['a chosen name outside the scope', { token: 'token-b', endpoints: [null] }, 'GIR_ERR_ENDPOINT_REFUSED'],
    ['no endpoint at all', { token: 'token-b', endpoints: [] }, 'GIR_ERR_PROTOCOL'],
    ['another version', { token: 'token-b', version: 2 }, 'GIR_ERR_PROTOCOL_VERSION'],
    ['version 0', { token: 'token-b', version: 0 }, 'GIR_ERR_PROTOCOL_VERSION'],
    ['a made-up ticket', { token: 'token-b', ticket: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }, 'GIR_ERR_TICKET_REFUSED'],
    ['an empty ticket', { token: 'token-b', ticket: '' }, 'GIR_ERR_TICKET_REFUSED'],
  ])('S2 %s is refused with its code, and the carrier closed', async (_what, overrides, code) => {
    await using edge = await startScopedEdge();
    using carrier = await dial(edge);
    carrier.send(helloFrame(overrides));
    expect(await carrier.goAwayCode()).toBe(code);
    await carrier.closed;
    expect(carrier.frames.map((frame) => frame.type)).toEqual([wire.goAway]);
    expect(statuses(await converse(edge.edge.ports.proxy, get('a.test')))).toEqual([404]);
  });

  it.each([
    ['TICKET', rawFrame(wire.ticket, 0, 0)],
    ['PING', rawFrame(wire.ping, 0, 0, '12345678')],
    ['HEAD', rawFrame(wire.head, 0, 1, '200 1 0 OK')],
    ['DATA', rawFrame(wire.data, 1, 1, 'octets')],
    ['WELCOME', rawFrame(wire.welcome, 0, 0, '{}')],
    ['an unknown type', rawFrame(99, 0, 0, '')],
    ['a HELLO that is no JSON', rawFrame(wire.hello, 0, 0, '{"version":')],
    ['a HELLO without a token', rawFrame(wire.hello, 0, 0, JSON.stringify({ ...plainHello, token: undefined }))],
    ['a HELLO with a list as token', rawFrame(wire.hello, 0, 0, JSON.stringify({ ...plainHello, token: ['token-a'] }))],
  ])('S2 %s before a HELLO with a token carries nothing', async (_what, frame) => {
    await using edge = await startScopedEdge();
    using carrier = await dial(edge);
    carrier.send(frame);
    expect(await carrier.goAwayCode()).toBe('GIR_ERR_PROTOCOL');
    await carrier.closed;
    expect(carrier.frames.map((one) => one.type)).toEqual([wire.goAway]);
  });

  it('S2 a carrier without HELLO is closed after the handshake time', async () => {
    await using edge = await startTestEdge({ handshakeTimeoutMs: 300 });
    using carrier = await dial(edge);
    await carrier.closed;
    expect(carrier.frames.filter((frame) => frame.type !== wire.goAway)).toEqual([]);
  });

  it('S2 an agent of B gets no request of A, though it claims A’s agent id', async () => {
    await using edge = await startScopedEdge();
    using a = await dial(edge);
    using b = await dial(edge);
    await openSession(a, { token: 'token-a', endpoints: ['a.test'] });
    await openSession(b, { token: 'token-b', endpoints: ['b.test'], generation: 9 });
    using client = await rawClient(edge.edge.ports.proxy, '', { halfOpen: false });
    client.send(get('a.test'));
    expect((await a.frame(wire.head)).payload.toString('latin1')).toContain('Host:a.test');
    expect(a.isClosed).toBe(false);
    expect(b.frames.map((frame) => frame.type).filter((type) => type !== wire.ping)).toEqual([wire.welcome]);
  });
});

describe('tickets', () => {
  it.each(ways)('S2 a ticket of A is no use to B ($way), and is used up by the attempt', async ({ dial }) => {
    await using edge = await startScopedEdge();
    using a = await connectForgedGrpc(edge.edge.ports.grpc);
    await openSession(a, { token: 'token-a', endpoints: ['a.test'] });
    const ticket = await ticketFor(a);

    using thief = await dial(edge);
    thief.send(helloFrame({ token: 'token-b', endpoints: ['b.test'], ticket }));
    expect(await thief.goAwayCode()).toBe('GIR_ERR_TICKET_REFUSED');

    using late = await dial(edge);
    late.send(helloFrame({ token: 'token-a', endpoints: ['a.test'], ticket }));
    expect(await late.goAwayCode()).toBe('GIR_ERR_TICKET_REFUSED');
    expect(a.isClosed).toBe(false);
  });

  it.each([
    ['another agent', { agentId: 'another-agent-01' }],
    ['another generation', { generation: 2 }],
  ])('S2 a ticket is no use to %s of the same token', async (_what, overrides) => {
    await using edge = await startScopedEdge();
    using a = await connectForgedGrpc(edge.edge.ports.grpc);
    await openSession(a, { token: 'token-a', endpoints: ['a.test'] });
    const ticket = await ticketFor(a);
    using other = await connectForgedTls(edge.edge.ports.tunnel);
    other.send(helloFrame({ token: 'token-a', endpoints: ['a.test'], ticket, ...overrides }));
    expect(await other.goAwayCode()).toBe('GIR_ERR_TICKET_REFUSED');
  });

  it('S2 a ticket joins its own session once', async () => {
    await using edge = await startScopedEdge();
    using a = await connectForgedGrpc(edge.edge.ports.grpc);
    await openSession(a, { token: 'token-a', endpoints: ['a.test'] });
    const ticket = await ticketFor(a);
    const hello = helloFrame({ token: 'token-a', endpoints: ['a.test'], ticket });
    using first = await connectForgedTls(edge.edge.ports.tunnel);
    first.send(hello);
    await first.frame(wire.welcome);
    using second = await connectForgedTls(edge.edge.ports.tunnel);
    second.send(hello);
    expect(await second.goAwayCode()).toBe('GIR_ERR_TICKET_REFUSED');
    expect(first.isClosed).toBe(false);
  });

  it('S2 the endpoints in a HELLO with a ticket widen nothing', async () => {
    await using edge = await startScopedEdge();
    using b = await connectForgedGrpc(edge.edge.ports.grpc);
    await openSession(b, { token: 'token-b', endpoints: ['b.test'] });
    using joined = await connectForgedTls(edge.edge.ports.tunnel);
    joined.send(helloFrame({ token: 'token-b', endpoints: ['a.test'], ticket: await ticketFor(b) }));
    const { payload } = await joined.frame(wire.welcome);
    expect(JSON.parse(payload.toString()).endpoints).toMatchObject([{ host: 'b.test' }]);
    expect(statuses(await converse(edge.edge.ports.proxy, get('a.test')))).toEqual([404]);
  });

  it('S2 a ticket ends with its session', async () => {
    await using edge = await startScopedEdge();
    using a = await connectForgedGrpc(edge.edge.ports.grpc);
    await openSession(a, { token: 'token-a', endpoints: ['a.test'] });
    const ticket = await ticketFor(a);
    a.destroy();
    await eventually('the end of the session', () => edge.log.some((line) => line.message === 'carrier closed'));
    using late = await connectForgedTls(edge.edge.ports.tunnel);
    late.send(helloFrame({ token: 'token-a', endpoints: ['a.test'], ticket }));
    expect(await late.goAwayCode()).toBe('GIR_ERR_TICKET_REFUSED');
  });

  it('S2 a ticket expires after 30 seconds', async () => {
    await using edge = await startScopedEdge();
    using a = await connectForgedTls(edge.edge.ports.tunnel);
    await openSession(a, { token: 'token-a', endpoints: ['a.test'] });
    const ticket = await ticketFor(a);
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 30_000);
    try {
      using late = await connectForgedGrpc(edge.edge.ports.grpc);
      late.send(helloFrame({ token: 'token-a', endpoints: ['a.test'], ticket }));
      expect(await late.goAwayCode()).toBe('GIR_ERR_TICKET_REFUSED');
    } finally {
      clock.mockRestore();
    }
  });

  it('S2 an agent cannot hoard tickets: the latest four are good, and asking for more is no offence', async () => {
    await using edge = await startScopedEdge();
    using a = await connectForgedTls(edge.edge.ports.tunnel);
    await openSession(a, { token: 'token-a', endpoints: ['a.test'] });
    a.send(...Array.from({ length: 1000 }, () => rawFrame(wire.ticket, 0, 0)));
    const tickets = (): string[] =>
      a.frames.filter(({ type }) => type === wire.ticket).map(({ payload }) => payload.toString());
    await eventually('all answers', () => tickets().length === 1000);
    const use = async (ticket: string): Promise<CarrierRecorder> => {
      const carrier = await connectForgedGrpc(edge.edge.ports.grpc);
      carrier.send(helloFrame({ token: 'token-a', endpoints: ['a.test'], ticket }));
      return carrier;
    };
    using early = await use(tickets().at(-5) ?? '');
    expect(await early.goAwayCode()).toBe('GIR_ERR_TICKET_REFUSED');
    using late = await use(tickets().at(-4) ?? '');
    await late.frame(wire.welcome);
    expect(a.isClosed).toBe(false);
  });
});

describe('other ways in', () => {
  it('S2 no RPC but Connect knows anything of tunnels, and unknown ones are refused', async () => {
    await using edge = await startScopedEdge();
    await using origin = await startRecordingOrigin();
    await using _agent = await startTestAgent(edge.edge.ports, 'a.test', `127.0.0.1:${origin.port}`, {
      token: 'token-a',
    });
    const { caPem } = await testCertificate();
    const client = new Client(`localhost:${edge.edge.ports.grpc}`, credentials.createSsl(Buffer.from(caPem)));
    const same = (message: Buffer): Buffer => message;
    const ask = (path: string): Promise<Buffer | number> =>
      new Promise((resolve) =>
        client.makeUnaryRequest(path, same, same, Buffer.alloc(0), (error, answer) =>
          resolve(error?.code ?? answer ?? Buffer.alloc(0)),
        ),
      );
    const health = await ask('/tunnel.TunnelService/HealthCheck');
    expect(health).toEqual(Buffer.from([0x08, 0x01]));
    const unimplemented = 12;
    for (const path of ['List', 'GetTunnels', 'Cancel', 'Disconnect', 'Stats'].map(
      (name) => `/tunnel.TunnelService/${name}`,
    )) {
      expect(await ask(path)).toBe(unimplemented);
    }
    client.close();
  });

  it('S2 an agent that leaves while its token is being checked leaves no session behind', async () => {
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    let isAsked = false;
    await using edge = await startTestEdge(
      { reconnectGraceMs: 0, requestTimeoutMs: 3000 },
      {
        authenticate: async () => {
          isAsked = true;
          await gate;
          return { id: 'slow', endpoints: ['*'], expiresAt: undefined };
        },
      },
    );
    const carrier = await connectForgedTls(edge.edge.ports.tunnel);
    carrier.send(helloFrame({ endpoints: ['gone.test'] }));
    await eventually('the check of the token', () => isAsked);
    carrier.destroy();
    await carrier.closed;
    // The edge has to see the end of the connection before the answer about the token comes.
    await converse(edge.edge.ports.proxy, get('nobody.test'));
    await converse(edge.edge.ports.proxy, get('nobody.test'));
    release();
    await gate;
    expect(statuses(await converse(edge.edge.ports.proxy, get('gone.test')))).toEqual([404]);
    expect(edge.log.filter((line) => line.message === 'session opened')).toEqual([]);
  });

  it('S2 a second HELLO while the token is being checked ends the carrier and opens no session', async () => {
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    await using edge = await startTestEdge(
      { reconnectGraceMs: 0 },
      {
        authenticate: async () => {
          await gate;
          return { id: 'slow', endpoints: ['*'], expiresAt: undefined };
        },
      },
    );
    using carrier = await connectForgedTls(edge.edge.ports.tunnel);
    carrier.send(helloFrame({ endpoints: ['twice.test'] }), helloFrame({ endpoints: ['twice.test'] }));
    expect(await carrier.goAwayCode()).toBe('GIR_ERR_PROTOCOL');
    release();
    await carrier.closed;
    expect(statuses(await converse(edge.edge.ports.proxy, get('twice.test')))).toEqual([404]);
  });

  it('S2 a provider that fails or throws refuses', async () => {
    await using edge = await startTestEdge(
      {},
      { authenticate: () => Promise.reject(new Error('the database is down')) },
    );
    using carrier = await connectForgedTls(edge.edge.ports.tunnel);
    carrier.send(helloFrame());
    const { payload } = await carrier.frame(wire.goAway);
    expect(payload.toString()).toMatch(/^GIR_ERR_/);
    expect(payload.toString()).not.toContain('database');
    await carrier.closed;
  });
});
