import { describe, expect, it, vi } from 'vitest';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { AgentBench, endpoint, ScriptedOrigin } from './agent-bench.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('an exchange with an origin', () => {
  it('writes HTTP/1.1 with Host for an HTTP/1.0 request, and keeps the connection for the next one', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const peer = origin.connection();
    for (const fields of [[], [['Host', 'a.test']]] as const) {
      const exchange = bench.open({ minorVersion: 0, fields });
      const host = fields.length === 0 ? endpoint : 'a.test';
      expect(await (await peer).request()).toBe(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      (await peer).send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      await exchange.answered();
    }
    expect(origin.connections).toHaveLength(1);
  });

  it('writes a GET as it came, and hands the answer on without hop-by-hop fields', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open({
      target: '/a?b=c',
      fields: [
        ['HOST', endpoint],
        ['X-A', '1'],
        ['x-a', '2'],
      ],
    });
    const peer = await origin.connection();
    expect(await peer.request()).toBe(`GET /a?b=c HTTP/1.1\r\nHOST: ${endpoint}\r\nX-A: 1\r\nx-a: 2\r\n\r\n`);
    peer.send('HTTP/1.1 201 Made So\r\nSet-Cookie: a\r\nKeep-Alive: timeout=5\r\nset-cookie: b\r\n');
    peer.send('Connection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 5\r\n\r\nhello');
    await exchange.answered();
    expect(exchange.head).toEqual({
      status: 201,
      reason: 'Made So',
      minorVersion: 1,
      body: { kind: 'length', lengthBytes: 5 },
      fields: [
        ['Set-Cookie', 'a'],
        ['set-cookie', 'b'],
        ['Content-Length', '5'],
      ],
    });
    expect(exchange.body).toBe('hello');
    expect(bench.events).toEqual([
      expect.objectContaining({
        type: 'request',
        method: 'GET',
        path: '/a',
        domain: endpoint,
        status: 201,
        code: undefined,
      }),
    ]);
  });

  it('works octet by octet', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    bench.agentCarrier.splits = true;
    bench.edgeCarrier.splits = true;
    const exchange = bench.open({
      method: 'POST',
      body: { kind: 'length', lengthBytes: 4 },
      fields: [['Content-Length', '4']],
    });
    exchange.stream?.sendData(Buffer.from('bo'));
    exchange.stream?.sendData(Buffer.from('dy'));
    exchange.stream?.sendEnd();
    const peer = await origin.connection();
    await peer.until('body');
    for (const octet of ok) peer.send(octet);
    expect((await exchange.answered()).body).toBe('ok');
  });

  it('uses a connection again', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    for (let turn = 0; turn < 3; turn += 1) {
      const exchange = bench.open();
      const peer = await origin.connection();
      await peer.request();
      peer.send(ok);
      await exchange.answered();
    }
    expect(origin.connections).toHaveLength(1);
  });

  it.each([
    ['Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['octets behind the answer', `${ok}more`],
    ['a promise that is as good as over', 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok'],
  ])('closes a connection after %s', async (_what, answer) => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open();
    const peer = await origin.connection();
    await peer.request();
    peer.send(answer);
    expect((await exchange.answered()).body).toBe('ok');
    await peer.closed();
    expect(bench.acceptor.originConnections).toBe(0);
  });

  it('sends an idempotent request again when a kept connection turns out dead', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const first = bench.open();
    const peer = await origin.connection();
    await peer.request();
    peer.send(ok);
    await first.answered();
    const second = bench.open({ target: '/second' });
    await peer.request();
    peer.socket.resetAndDestroy();
    const fresh = await origin.connection(1);
    expect(await fresh.request()).toContain('GET /second ');
    fresh.send(ok);
    expect((await second.answered()).body).toBe('ok');
  });

  it('never sends a POST again', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const first = bench.open();
    const peer = await origin.connection();
    await peer.request();
    peer.send(ok);
    await first.answered();
    const second = bench.open({ method: 'POST' });
    await peer.request();
    peer.socket.destroy();
    expect(await second.failed()).toBe('GIR_ERR_ORIGIN_CLOSED');
    expect(origin.connections).toHaveLength(1);
  });

  it('forgets an idle connection that the origin closes or speaks on', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const first = bench.open();
    const peer = await origin.connection();
    await peer.request();
    peer.send(ok);
    await first.answered();
    peer.send('HTTP/1.1 408 Request Timeout\r\n\r\n');
    await peer.closed();
    const second = bench.open();
    const fresh = await origin.connection(1);
    await fresh.request();
    fresh.send(ok);
    expect((await second.answered()).head?.status).toBe(200);
  });

  it('keeps absent, empty and empty chunked request bodies apart', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    bench.open({ method: 'MKCOL', fields: [] });
    expect(await (await origin.connection(0)).request()).toBe('MKCOL / HTTP/1.1\r\n\r\n');
    bench.open({
      method: 'POST',
      fields: [['Content-Length', '0']],
      body: { kind: 'length', lengthBytes: 0 },
      isEnd: true,
    });
    expect(await (await origin.connection(1)).request()).toBe('POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n');
    bench.open({ method: 'POST', fields: [], body: { kind: 'chunked' }, isEnd: true });
    expect(await (await origin.connection(2)).until('0\r\n\r\n')).toBe(
      'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
  });

  it('passes a chunked body with trailers both ways', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open({ method: 'POST', fields: [['TE', 'trailers']], body: { kind: 'chunked' } });
    exchange.stream?.sendData(Buffer.from('hello'));
    exchange.stream?.sendEnd([['X-Sum', '1']]);
    const peer = await origin.connection();
    expect(await peer.until('\r\nX-Sum: 1\r\n\r\n')).toBe(
      'POST / HTTP/1.1\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nConnection: TE\r\n\r\n' +
        '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
    );
    peer.send(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n3\r\nabc\r\n0\r\nX-End: 2\r\n\r\n',
    );
    await exchange.answered();
    expect(exchange.head?.body).toEqual({ kind: 'chunked' });
    expect(exchange.head?.fields).toEqual([['Trailer', 'X-End']]);
    expect(exchange.body).toBe('abc');
    expect(exchange.trailers).toEqual([['X-End', '2']]);
  });

  it('hands every 1xx on, with its fields', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open();
    const peer = await origin.connection();
    await peer.request();
    peer.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nlink: </b.css>\r\n\r\n');
    peer.send(ok);
    await exchange.answered();
    expect(exchange.interims.map(({ status, fields }) => [status, fields])).toEqual([
      [100, []],
      [
        103,
        [
          ['Link', '</a.css>'],
          ['link', '</b.css>'],
        ],
      ],
    ]);
    expect(exchange.heads).toHaveLength(1);
  });

  it.each([
    ['HEAD', '200 OK\r\nContent-Length: 99', [['Content-Length', '99']]],
    [
      'GET',
      '304 Not Modified\r\nContent-Length: 99\r\nETag: "a"',
      [
        ['Content-Length', '99'],
        ['ETag', '"a"'],
      ],
    ],
    ['GET', '204 No Content', []],
  ])('takes the answer to %s as one without body: %s', async (method, lines, fields) => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open({ method });
    const peer = await origin.connection();
    await peer.request();
    peer.send(`HTTP/1.1 ${lines}\r\n\r\n`);
    await exchange.answered();
    expect(exchange.head?.fields).toEqual(fields);
    expect(exchange.head?.body).toEqual({ kind: 'none' });
    expect(exchange.bodyBytes).toBe(0);
  });

  it('ends a body without length with the FIN of the origin', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open();
    const peer = await origin.connection();
    await peer.request();
    peer.send('HTTP/1.1 200 OK\r\n\r\nuntil');
    await exchange.until(() => exchange.body === 'until', 'the body');
    expect(exchange.trailers).toBeUndefined();
    peer.socket.end(' close');
    expect((await exchange.answered()).body).toBe('until close');
    await peer.closed();
  });

  it('does not take a reset for the end of a body without length', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open();
    const peer = await origin.connection();
    await peer.request();
    peer.send('HTTP/1.1 200 OK\r\n\r\nuntil');
    await exchange.until(() => exchange.body === 'until', 'the body');
    peer.socket.resetAndDestroy();
    expect(await exchange.failed()).toBe('GIR_ERR_RESPONSE_INCOMPLETE');
  });

  it('delivers an answer that comes before the end of the upload, and stops the upload', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const lengthBytes = 1024 * 1024;
    const fields = [['Content-Length', String(lengthBytes)]] as const;
    const exchange = bench.open({ method: 'PUT', fields, body: { kind: 'length', lengthBytes } });
    exchange.stream?.sendData(Buffer.alloc(1000));
    const peer = await origin.connection();
    await peer.received(1000);
    peer.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig');
    expect((await exchange.answered()).head?.status).toBe(413);
    expect(exchange.body).toBe('big');
    await peer.closed();
    // What is still under way has a reader until the edge gives the exchange up.
    exchange.stream?.sendData(Buffer.alloc(500_000));
    exchange.stream?.sendData(Buffer.alloc(lengthBytes - 501_000));
    exchange.stream?.sendEnd();
    await vi.waitFor(() => expect(exchange.stream?.isOver).toBe(true), { timeout: 5000 });
  });
});

describe('an origin that fails', () => {
  it.each([
    ['before an answer', '', 'GIR_ERR_ORIGIN_CLOSED'],
    ['inside a head', 'HTTP/1.1 200 OK\r\nContent-Le', 'GIR_ERR_RESPONSE_INCOMPLETE'],
    ['inside a body', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart', 'GIR_ERR_RESPONSE_INCOMPLETE'],
    ['inside a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\npart', 'GIR_ERR_RESPONSE_INCOMPLETE'],
  ])('%s', async (_when, answer, code) => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open();
    const peer = await origin.connection();
    await peer.request();
    peer.socket.end(answer);
    expect(await exchange.failed()).toBe(code);
    expect(bench.acceptor.originConnections).toBe(0);
    expect(bench.events).toContainEqual(expect.objectContaining({ type: 'request', code }));
  });

  it.each([
    ['a bad chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', 'GIR_ERR_ORIGIN_PROTOCOL'],
    ['something that is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 'GIR_ERR_ORIGIN_PROTOCOL'],
    ['a 101 that nobody asked for', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n', 'GIR_ERR_UPGRADE_FAILED'],
    ['an endless head', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(300_000)}`, 'GIR_ERR_RESPONSE_HEADERS_TOO_LARGE'],
  ])('by sending %s', async (_what, answer, code) => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open();
    const peer = await origin.connection();
    await peer.request();
    peer.send(answer);
    expect(await exchange.failed()).toBe(code);
    await peer.closed();
  });

  it('by refusing, and says so once until it is there again', async () => {
    const origin = await ScriptedOrigin.listen();
    const { target } = origin;
    await origin[Symbol.asyncDispose]();
    using bench = new AgentBench(target);
    expect(await bench.open().failed()).toBe('GIR_ERR_ORIGIN_REFUSED');
    expect(await bench.open().failed()).toBe('GIR_ERR_ORIGIN_REFUSED');
    const changes = bench.events.filter(({ type }) => type === 'origin');
    expect(changes).toEqual([
      expect.objectContaining({ error: expect.objectContaining({ code: 'GIR_ERR_ORIGIN_REFUSED' }) }),
    ]);
  });

  it('by having no name', async () => {
    using bench = new AgentBench({ kind: 'tcp', host: 'nowhere.invalid', port: 80, tls: false });
    expect(await bench.open().failed()).toBe('GIR_ERR_ORIGIN_DNS');
  });

  it('by not being there as a Unix socket', async () => {
    using bench = new AgentBench({ kind: 'unix', path: '/nonexistent/giraffe.sock' });
    expect(await bench.open().failed()).toBe('GIR_ERR_ORIGIN_REFUSED');
  });

  it('by not speaking TLS', async () => {
    await using origin = await ScriptedOrigin.listen();
    const { target } = origin;
    using bench = new AgentBench({ ...target, tls: true } as typeof target);
    const exchange = bench.open();
    const peer = await origin.connection();
    peer.send('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(await exchange.failed()).toBe('GIR_ERR_ORIGIN_TLS');
  });

  it('by not answering a connection in time', async () => {
    await using origin = await ScriptedOrigin.listen();
    // TLS never gets an answer here: as far as the agent can see, nobody accepted.
    using bench = new AgentBench({ ...origin.target, tls: true } as typeof origin.target, {
      originConnectTimeoutMs: 30,
    });
    expect(await bench.open().failed()).toBe('GIR_ERR_ORIGIN_CONNECT_TIMEOUT');
  });
});

describe('an edge that gives up or breaks the rules', () => {
  it.each(['before the head', 'inside the body'])('closes the connection to the origin %s', async (when) => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open();
    const peer = await origin.connection();
    await peer.request();
    if (when === 'inside the body') {
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart');
      await exchange.until(() => exchange.body === 'part', 'a part');
    }
    exchange.stream?.reset(cancelled());
    await peer.closed();
    expect(bench.acceptor.originConnections).toBe(0);
    expect(bench.agent.streams).toBe(0);
  });

  it('closes the connections to the origin when the carrier is lost', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    bench.open();
    const peer = await origin.connection();
    await peer.request();
    bench.edgeCarrier.cut();
    await peer.closed();
    expect(bench.events).toEqual([expect.objectContaining({ type: 'request', code: 'GIR_ERR_SESSION_LOST' })]);
  });

  it('connects to configured targets only, whatever the edge asks for', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const forged = bench.open({ endpoint: '127.0.0.1:22', target: 'http://127.0.0.1:22/', isEnd: true });
    expect(await forged.failed()).toBe('GIR_ERR_ENDPOINT_UNKNOWN');
    expect(origin.connections).toHaveLength(0);
  });

  it.each([
    [
      'two Host lines',
      {
        fields: [
          ['Host', 'a'],
          ['Host', 'b'],
        ] as const,
      },
    ],
    ['Transfer-Encoding beside a length', { fields: [['Transfer-Encoding', 'chunked']] as const }],
    ['a target that is no path', { target: 'http://other/' }],
  ])('refuses a request with %s', async (_what, request) => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    expect(await bench.open(request).failed()).toBe('GIR_ERR_PROTOCOL');
    expect(origin.connections).toHaveLength(0);
  });

  it.each([
    ['a field', { fields: [['X', 'a\rHost: b']] as const }],
    ['an upgrade', { upgrade: 'websocket\rX: y' }],
  ])('is done with an edge that sends a line break in %s', async (_what, request) => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    expect(await bench.open(request).failed()).toBe('GIR_ERR_SESSION_LOST');
    expect(origin.connections).toHaveLength(0);
  });

  it.each(['more', 'less'])('gives up a request with %s body than announced', async (how) => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const exchange = bench.open({
      method: 'POST',
      fields: [['Content-Length', '5']],
      body: { kind: 'length', lengthBytes: 5 },
    });
    exchange.stream?.sendData(Buffer.from(how === 'more' ? 'sixsix' : 'four'));
    exchange.stream?.sendEnd();
    expect(await exchange.failed()).toBe('GIR_ERR_PROTOCOL');
    expect(bench.acceptor.originConnections).toBe(0);
  });
});

describe('backpressure', () => {
  it('stops reading from the origin when the client stops', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const windowBytes = 64 * 1024;
    const exchange = bench.open({ windowBytes });
    exchange.reads = false;
    const peer = await origin.connection();
    await peer.request();
    const bytes = 32 * 1024 * 1024;
    peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
    peer.socket.write(Buffer.alloc(bytes));
    await exchange.until(() => exchange.bodyBytes === windowBytes, 'a full window');
    // The origin's socket is full as well: neither the agent nor the tunnel takes the rest in.
    expect(peer.socket.writableLength).toBeGreaterThan(bytes / 2);
    exchange.read();
    await exchange.answered();
    expect(exchange.bodyBytes).toBe(bytes);
  });

  it('stops the edge when the origin does not read', async () => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target);
    const bytes = 32 * 1024 * 1024;
    const fields = [['Content-Length', String(bytes)]] as const;
    const exchange = bench.open({ method: 'PUT', fields, body: { kind: 'length', lengthBytes: bytes } });
    const peer = await origin.connection();
    peer.socket.pause();
    exchange.stream?.sendData(Buffer.alloc(bytes));
    exchange.stream?.sendEnd();
    // A small exchange passes by, and shows that what can move has moved.
    const small = bench.open();
    const other = await origin.connection(1);
    await other.request();
    other.send(ok);
    await small.answered();
    expect(exchange.stream?.outbound.queuedBytes).toBeGreaterThan(bytes / 2);
    peer.socket.resume();
    await peer.received(bytes);
    peer.send(ok);
    expect((await exchange.answered()).body).toBe('ok');
  });
});

describe('--host-header', () => {
  it.each([
    ['preserve', 'preserve' as const, endpoint],
    ['rewrite', 'rewrite' as const, undefined],
    ['a value', { value: 'other.test' }, 'other.test'],
  ])('%s', async (_name, hostHeader, expected) => {
    await using origin = await ScriptedOrigin.listen();
    using bench = new AgentBench(origin.target, { hostHeader });
    bench.open({
      fields: [
        ['X-A', '1'],
        ['host', endpoint],
        ['X-B', '2'],
      ],
    });
    const { target } = origin;
    const own = target.kind === 'tcp' ? `${target.host}:${target.port}` : '';
    const text = await (await origin.connection()).request();
    expect(text).toBe(`GET / HTTP/1.1\r\nX-A: 1\r\nhost: ${expected ?? own}\r\nX-B: 2\r\n\r\n`);
  });
});

function cancelled(): GiraffeError {
  return new GiraffeError('GIR_ERR_CANCELLED');
}
