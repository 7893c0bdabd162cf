import { describe, expect, it } from 'vitest';
import { startAgent } from '../../src/agent/agent.ts';
import type { Agent, AgentEvent, AgentOptions } from '../../src/agent/agent-options.ts';
import type { ErrorCode } from '../../src/errors/codes.ts';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { parseTarget } from '../../src/http/target.ts';
import { streamId } from '../../src/protocol/frame.ts';
import { encodeWithdrawal } from '../../src/protocol/handshake.ts';
import { encodeOpenRequest } from '../../src/protocol/head-codec.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { EdgeExchange, ScriptedOrigin } from './agent-bench.ts';
import { FakeEdge } from './fake-edge.ts';

/** A running agent and what it tells. */
class Observed implements AsyncDisposable {
  readonly events: AgentEvent[] = [];
  readonly agent: Agent;
  readonly #waiting = new Set<() => void>();
  #seen = 0;

  constructor(options: AgentOptions) {
    this.agent = startAgent(options, (event) => {
      this.events.push(event);
      for (const one of this.#waiting) one();
    });
  }

  /** Resolves with the next event of a type, behind the last one that was returned. */
  async next<T extends AgentEvent['type']>(type: T): Promise<Extract<AgentEvent, { type: T }>> {
    for (;;) {
      while (this.#seen < this.events.length) {
        const event = this.events[this.#seen];
        this.#seen += 1;
        if (event?.type === type) return event as Extract<AgentEvent, { type: T }>;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
  }
}

async function observe(edge: FakeEdge, options: Partial<AgentOptions> = {}): Promise<Observed> {
  const { caPem } = await testCertificate();
  return new Observed({
    tunnels: [{ domain: 'app.test', target: parseTarget('3000') }],
    server: { host: 'localhost', grpcPort: edge.ports.grpc, tunnelPort: edge.ports.tunnel },
    token: 'secret',
    trust: { kind: 'ca', pem: caPem },
    transport: 'auto',
    hostHeader: 'preserve',
    logger: silentLogger,
    backoff: { firstMs: 10, maxMs: 50 },
    ...options,
  });
}

describe('an agent and its edge', () => {
  it('opens gRPC with the token and joins TCP to the same session by a ticket', async () => {
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge);
    await observed.agent.ready;
    expect(observed.events).toEqual([
      { type: 'connecting', attempt: 1 },
      { type: 'carrier', carrier: 'grpc', error: undefined },
      { type: 'carrier', carrier: 'tls', error: undefined },
      {
        type: 'ready',
        mode: 'hybrid',
        reason: undefined,
        tunnels: [{ domain: 'app.test', url: 'http://app.test/', target: 'http://localhost:3000' }],
      },
    ]);
    const [first, second] = edge.hellos;
    expect(first).toMatchObject({ token: 'secret', endpoints: ['app.test'], generation: 1 });
    expect(first?.ticket).toBeUndefined();
    expect(second).toMatchObject({ token: 'secret', ticket: 'ticket-0', generation: 1, agentId: first?.agentId });
  });

  it('takes the tunnel port from the edge', async () => {
    await using edge = await FakeEdge.start();
    const server = { host: 'localhost', grpcPort: edge.ports.grpc };
    await using observed = await observe(edge, { server });
    expect((await observed.next('ready')).mode).toBe('hybrid');
  });

  it('takes the tunnel port that was asked for, whatever the edge says', async () => {
    await using edge = await FakeEdge.start();
    await using mapped = await startCuttableProxy(edge.ports.tunnel);
    const server = { host: 'localhost', grpcPort: edge.ports.grpc, tunnelPort: mapped.port };
    await using observed = await observe(edge, { server });
    expect((await observed.next('ready')).mode).toBe('hybrid');
    expect(mapped.accepted).toBe(1);
  });

  it.each([
    ['grpc', 'grpc', ['grpc']],
    ['tcp', 'tcp', ['tls']],
  ] as const)('keeps to the transport %s', async (transport, mode, kinds) => {
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge, { transport });
    expect(await observed.next('ready')).toMatchObject({ mode, reason: `transport ${transport} was asked for` });
    expect(edge.carriers.map(({ kind }) => kind)).toEqual(kinds);
  });

  it('falls back to TCP, says why, and goes back to hybrid by itself', async () => {
    await using edge = await FakeEdge.start(['tls']);
    await using observed = await observe(edge);
    expect(await observed.next('carrier')).toMatchObject({
      carrier: 'grpc',
      error: { code: 'GIR_ERR_EDGE_UNREACHABLE' },
    });
    const ready = await observed.next('ready');
    expect(ready.mode).toBe('tcp');
    expect(ready.reason).toContain(`localhost:${edge.ports.grpc}: connect ECONNREFUSED`);
    await edge.open('grpc');
    expect(await observed.next('mode')).toEqual({ type: 'mode', mode: 'hybrid', reason: undefined });
    expect(edge.hellos.map(({ generation, ticket }) => [generation, ticket])).toEqual([
      [1, undefined],
      [1, 'ticket-0'],
    ]);
  });

  it('serves over gRPC alone until TCP can be had', async () => {
    await using edge = await FakeEdge.start(['grpc']);
    await using observed = await observe(edge);
    expect(await observed.next('ready')).toMatchObject({
      mode: 'grpc',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
    await edge.open('tls');
    expect((await observed.next('mode')).mode).toBe('hybrid');
  });

  it.each(['grpc', 'tls'] as const)('keeps the session when only %s is lost, and gets it back', async (kind) => {
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge);
    await observed.next('ready');
    edge.cut(kind);
    expect((await observed.next('mode')).mode).toBe(kind === 'grpc' ? 'tcp' : 'grpc');
    expect((await observed.next('mode')).mode).toBe('hybrid');
    expect(edge.hellos.map(({ generation }) => generation)).toEqual([1, 1, 1]);
    expect(observed.events.some(({ type }) => type === 'reconnecting')).toBe(false);
  });

  it('opens a new session, of a higher generation, when all is lost', async () => {
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge);
    await observed.next('ready');
    edge.cut();
    const { error, delayMs } = await observed.next('reconnecting');
    expect(error.code).toBe('GIR_ERR_SESSION_LOST');
    expect(delayMs).toBeLessThanOrEqual(10);
    expect(await observed.next('connecting')).toEqual({ type: 'connecting', attempt: 1 });
    await observed.next('ready');
    expect(edge.hellos.map(({ generation, ticket }) => [generation, ticket])).toEqual([
      [1, undefined],
      [1, 'ticket-0'],
      [2, undefined],
      [2, 'ticket-2'],
    ]);
  });

  it('leaves an edge that stopped answering, and closes its connections to it at once', async () => {
    await using edge = await FakeEdge.start();
    await using grpc = await startCuttableProxy(edge.ports.grpc);
    await using tunnel = await startCuttableProxy(edge.ports.tunnel);
    edge.answer = (hello) => ({
      ...edge.welcome(hello),
      ports: { grpc: grpc.port, tunnel: tunnel.port },
      keepAliveMs: 50,
    });
    const server = { host: 'localhost', grpcPort: grpc.port, tunnelPort: tunnel.port };
    await using observed = await observe(edge, { server });
    await observed.next('ready');
    for (const proxy of [grpc, tunnel]) proxy.stall();
    expect((await observed.next('reconnecting')).error.code).toBe('GIR_ERR_PING_TIMEOUT');
    for (const proxy of [grpc, tunnel]) proxy.resume();
    await observed.next('ready');
    await edge.until(() => edge.sockets.size === 2);
  });

  it('asks for the name that the edge chose when it comes back', async () => {
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge, { tunnels: [{ domain: undefined, target: parseTarget('3000') }] });
    expect((await observed.next('ready')).tunnels[0]?.domain).toBe('chosen-0.test');
    edge.cut();
    await observed.next('ready');
    expect(edge.hellos.filter(({ ticket }) => ticket === undefined).map(({ endpoints }) => endpoints)).toEqual([
      [null],
      ['chosen-0.test'],
    ]);
  });

  it('asks for another name when the one that the edge chose is refused later', async () => {
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge, { tunnels: [{ domain: undefined, target: parseTarget('3000') }] });
    await observed.next('ready');
    edge.answer = (hello) =>
      hello.endpoints[0] === null ? edge.welcome(hello) : new GiraffeError('GIR_ERR_ENDPOINT_REFUSED');
    edge.cut();
    await observed.next('ready');
  });

  it('keeps trying while nobody is there', async () => {
    await using edge = await FakeEdge.start([]);
    await using observed = await observe(edge);
    for (const attempt of [1, 2, 3]) {
      expect(await observed.next('connecting')).toEqual({ type: 'connecting', attempt });
      expect((await observed.next('reconnecting')).error.code).toBe('GIR_ERR_EDGE_UNREACHABLE');
    }
    await edge.open('grpc');
    await edge.open('tls');
    await observed.agent.ready;
  });

  it('gives up an edge that does not answer in time', async () => {
    await using edge = await FakeEdge.start();
    edge.answer = () => undefined;
    await using observed = await observe(edge, { connectTimeoutMs: 200 });
    const { error } = await observed.next('reconnecting');
    expect(error.code).toBe('GIR_ERR_EDGE_UNREACHABLE');
    expect(error.message).toContain('did not answer within 100 ms');
  });

  it.each<ErrorCode>(['GIR_ERR_CREDENTIALS_REFUSED', 'GIR_ERR_ENDPOINT_REFUSED', 'GIR_ERR_PROTOCOL_VERSION'])(
    'ends when the edge refuses for good: %s',
    async (code) => {
      await using edge = await FakeEdge.start();
      edge.answer = () => new GiraffeError(code, 'because');
      await using observed = await observe(edge);
      await expect(observed.agent.ready).rejects.toMatchObject({ code, message: 'because' });
      await expect(observed.agent.closed).resolves.toMatchObject({ code });
      expect(observed.events.at(-1)).toMatchObject({ type: 'closed', error: { code } });
      expect(edge.carriers).toHaveLength(1);
      await edge.until(() => edge.sockets.size === 0);
    },
  );

  it('ends when its token is revoked while it serves', async () => {
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge);
    await observed.next('ready');
    edge.carrier('tls').multiplexer.close(new GiraffeError('GIR_ERR_CREDENTIALS_REFUSED', 'revoked'));
    expect((await observed.next('closed')).error).toMatchObject({
      code: 'GIR_ERR_CREDENTIALS_REFUSED',
      message: 'revoked',
    });
    await edge.until(() => edge.sockets.size === 0);
  });

  it('loses an endpoint that the edge withdraws: once, for good, and no other one', async () => {
    await using edge = await FakeEdge.start();
    const [target, other] = [parseTarget('3000'), parseTarget('3001')];
    const tunnels = [
      { name: 'a', domain: 'a.test', target },
      { domain: 'b.test', target: other },
    ] as const;
    await using observed = await observe(edge, { tunnels });
    await observed.next('ready');
    const reason = new GiraffeError('GIR_ERR_DISCONNECTED', 'because');
    for (const endpoint of ['strange.test', 'a.test', 'a.test']) {
      for (const { multiplexer } of edge.carriers) multiplexer.withdraw(encodeWithdrawal({ endpoint, reason }));
    }
    expect(await observed.next('withdrawn')).toEqual({
      type: 'withdrawn',
      name: 'a',
      domain: 'a.test',
      url: 'http://a.test/',
      target: 'http://localhost:3000',
      error: reason,
    });
    edge.cut('tls');
    await edge.until(() => edge.hellos.length === 3);
    edge.cut();
    const left = { name: undefined, domain: 'b.test', url: 'http://b.test/', target: 'http://localhost:3001' };
    expect(await observed.next('ready')).toMatchObject({ tunnels: [left] });
    expect(edge.hellos.filter(({ ticket }) => ticket === undefined).map(({ endpoints }) => endpoints)).toEqual([
      ['a.test', 'b.test'],
      ['b.test'],
    ]);
    expect(observed.events.filter(({ type }) => type === 'withdrawn')).toHaveLength(1);
  });

  it('ends when an edge withdraws all that it has', async () => {
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge);
    await observed.next('ready');
    const reason = new GiraffeError('GIR_ERR_DISCONNECTED', 'because');
    edge.carrier('grpc').multiplexer.withdraw(encodeWithdrawal({ endpoint: 'app.test', reason }));
    expect(await observed.next('closed')).toMatchObject({
      error: { code: 'GIR_ERR_DISCONNECTED', message: 'because' },
    });
    expect(observed.events.some(({ type }) => type === 'withdrawn')).toBe(false);
  });

  it('opens a new session when its edge drains, and serves what is in flight on the old one', async () => {
    await using origin = await ScriptedOrigin.listen();
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge, { tunnels: [{ domain: 'app.test', target: origin.target }] });
    await observed.next('ready');
    const old = edge.carrier('grpc');
    const exchange = openExchange(old.multiplexer);
    const peer = await origin.connection();
    await peer.request();
    for (const { multiplexer } of edge.carriers) multiplexer.goAway(new GiraffeError('GIR_ERR_DRAINING'));
    expect((await observed.next('reconnecting')).error.code).toBe('GIR_ERR_DRAINING');
    await observed.next('ready');
    expect(edge.hellos.at(-1)?.generation).toBe(2);
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await exchange.answered()).body).toBe('ok');
    old.multiplexer.close(new GiraffeError('GIR_ERR_DRAINING'));
    await edge.until(() => !old.multiplexer.isOpen);
    expect(edge.carrier('grpc')).not.toBe(old);
  });

  it('finishes what is in flight when it drains, and waits for the consent of the edge', async () => {
    await using origin = await ScriptedOrigin.listen();
    await using edge = await FakeEdge.start();
    edge.acknowledges = false;
    await using observed = await observe(edge, { tunnels: [{ domain: 'app.test', target: origin.target }] });
    await observed.next('ready');
    const exchange = openExchange(edge.carrier('grpc').multiplexer);
    const peer = await origin.connection();
    await peer.request();
    const drained = observed.agent.drain(10_000);
    await edge.until(() => edge.carriers.every(({ goAways }) => goAways.length > 0));
    // Opened before the edge consented: still served.
    const late = openExchange(edge.carrier('tls').multiplexer, 2);
    const latePeer = await origin.connection(1);
    await latePeer.request();
    for (const { multiplexer } of edge.carriers) multiplexer.goAway(new GiraffeError('GIR_ERR_DRAINING'), true);
    for (const one of [peer, latePeer]) one.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await exchange.answered()).body).toBe('ok');
    expect((await late.answered()).body).toBe('ok');
    await drained;
    expect(observed.events.at(-1)).toEqual({ type: 'closed', error: undefined });
    await edge.until(() => edge.sockets.size === 0);
  });

  it('waits no longer than the deadline', async () => {
    await using origin = await ScriptedOrigin.listen();
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge, { tunnels: [{ domain: 'app.test', target: origin.target }] });
    await observed.next('ready');
    const exchange = openExchange(edge.carrier('grpc').multiplexer);
    await (await origin.connection()).request();
    const patient = observed.agent.drain(60_000);
    await observed.agent.drain(10);
    await patient;
    expect(await exchange.failed()).toBe('GIR_ERR_SESSION_LOST');
  });

  it('rejects ready when it is closed before it served', async () => {
    await using edge = await FakeEdge.start([]);
    const observed = await observe(edge);
    await observed.next('reconnecting');
    await observed.agent[Symbol.asyncDispose]();
    await expect(observed.agent.ready).rejects.toMatchObject({ code: 'GIR_ERR_CANCELLED' });
    await expect(observed.agent.closed).resolves.toBeUndefined();
  });
});

describe("trust in the edge's certificate", () => {
  it.each(['grpc', 'tcp'] as const)('refuses an unknown CA over %s', async (transport) => {
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge, { transport, trust: { kind: 'system' } });
    expect((await observed.next('reconnecting')).error.code).toBe('GIR_ERR_EDGE_CERTIFICATE');
    expect(edge.hellos).toEqual([]);
  });

  it.each(['grpc', 'tcp'] as const)('names the names when none fits over %s', async (transport) => {
    await using edge = await FakeEdge.start();
    const server = { host: '127.0.0.2', grpcPort: edge.ports.grpc, tunnelPort: edge.ports.tunnel };
    await edge.shut('grpc');
    await edge.shut('tls');
    await edge.open('grpc', '0.0.0.0');
    await edge.open('tls', '0.0.0.0');
    await using observed = await observe(edge, { transport, server });
    const { error } = await observed.next('reconnecting');
    expect(error.code).toBe('GIR_ERR_EDGE_CERTIFICATE');
    expect(error.message).toMatch(/the certificate is for .*DNS:localhost.*, not for 127\.0\.0\.2/);
  });

  it('accepts the CA whose pin it was given', async () => {
    await using edge = await FakeEdge.start();
    const { caFingerprint } = await testCertificate();
    await using observed = await observe(edge, { trust: { kind: 'pin', pin: caFingerprint } });
    expect((await observed.next('ready')).mode).toBe('hybrid');
  });

  it.each(['127.0.0.1', 'localhost'])('verifies %s', async (host) => {
    await using edge = await FakeEdge.start();
    const server = { host, grpcPort: edge.ports.grpc, tunnelPort: edge.ports.tunnel };
    await using observed = await observe(edge, { server });
    expect((await observed.next('ready')).mode).toBe('hybrid');
  });

  it('refuses an edge with another pin', async () => {
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge, { trust: { kind: 'pin', pin: `sha256:${'0'.repeat(64)}` } });
    expect((await observed.next('reconnecting')).error.code).toBe('GIR_ERR_EDGE_CERTIFICATE');
    expect(edge.hellos).toEqual([]);
  });

  it('accepts anybody only when told to', async () => {
    await using edge = await FakeEdge.start();
    await using observed = await observe(edge, { trust: { kind: 'insecure' } });
    expect((await observed.next('ready')).mode).toBe('hybrid');
  });
});

function openExchange(multiplexer: FakeEdge['carriers'][number]['multiplexer'], id = 1): EdgeExchange {
  const exchange = new EdgeExchange();
  const head = { method: 'GET', target: '/', minorVersion: 1, fields: [], body: { kind: 'none' } } as const;
  const windowBytes = 65_536;
  const payload = encodeOpenRequest({ head, endpoint: 'app.test', windowBytes, upgrade: undefined });
  exchange.stream = multiplexer.open(streamId(id), payload, true, windowBytes, exchange);
  return exchange;
}
