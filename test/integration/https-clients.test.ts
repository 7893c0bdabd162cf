/** HTTPS on the proxy port: HTTP/1.1 and HTTP/2 clients, WebSockets over TLS. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { constants, type OutgoingHttpHeaders, type Settings } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { parseTarget } from '../../src/http/target.ts';
import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { readAnswer } from '../support/http-client.ts';
import { answerOf, Http2Client } from '../support/http2-client.ts';
import { startHttpOrigin, startSocketOrigin } from '../support/origins.ts';
import { heldBytes } from '../support/resources.ts';
import { sha256 } from '../support/sha256.ts';
import { stopReading } from '../support/stop-reading.ts';
import { createCertificate, testCertificate } from '../support/test-certificate.ts';
import { nextMessage, startWebSocketOrigin } from '../support/websocket-origin.ts';
import { startTestAgent, startTestEdge, type TestEdge } from '../support/world.ts';

const domain = 'app.test';

async function startHttpsEdge(limits = {}): Promise<TestEdge> {
  return startTestEdge(limits, { proxyCertificate: await testCertificate() });
}

async function connectHttp2(edge: TestEdge, settings: Settings = {}): Promise<Http2Client> {
  return new Http2Client(edge.edge.ports.proxy, domain, (await testCertificate()).caPem, settings);
}

describe('an HTTP/2 client', () => {
  it('H9 H10 gets answers to its requests, with lines as lines and the facts of its connection', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startHttpOrigin((request, response) => {
      response.writeHead(200, [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'X-Twice',
        '1',
        'X-Twice',
        '2',
        'Age',
        '1',
        'Age',
        '2',
      ]);
      response.end(JSON.stringify([request.method, request.url, request.headers]));
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    const { status, headers, body } = await client.ask('/a?b=c', { cookie: ['x=1', 'y=2'], te: 'trailers' });
    expect(status).toBe(200);
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(headers['x-twice']).toBe('1, 2');
    expect(headers['age']).toBe('1');
    const [method, url, seen] = JSON.parse(body.toString()) as [string, string, Record<string, string>];
    expect([method, url]).toEqual(['GET', '/a?b=c']);
    expect(seen).toMatchObject({ host: domain, cookie: 'x=1; y=2', te: 'trailers' });
    expect(seen).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '443',
      'x-forwarded-for': '127.0.0.1',
    });
    expect(seen['via']).toMatch(/^2 giraffe-/);
  });

  it("S5 whose connection was reset while Node's HTTP/2 had stopped reading is gone", async () => {
    await using edge = await startHttpsEdge();
    await using way = await startCuttableProxy(edge.edge.ports.proxy);
    using client = new Http2Client(way.port, domain, (await testCertificate()).caPem);
    expect((await client.ask('/')).status).toBe(404);
    expect(edge.edge.overview().now.connections).toBe(1);
    stopReading(({ localPort }) => localPort === edge.edge.ports.proxy);
    way.cut();
    await eventually('the edge notices', () => edge.edge.overview().now.connections === 0);
  });

  it('H1 H2 has many requests at once on one connection, each with its own answer', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startHttpOrigin((request, response) => {
      request.pipe(response);
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    const bodies = Array.from({ length: 200 }, () => randomBytes(5000));
    const answers = await Promise.all(bodies.map((body) => client.ask('/', { ':method': 'POST' }, body)));
    expect(answers.map(({ body }) => sha256(body))).toEqual(bodies.map(sha256));
  });

  it('H3 sends and gets a large body whole, with trailers both ways', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startHttpOrigin((request, response) => {
      response.writeHead(200, { Trailer: 'X-End' });
      request.pipe(response, { end: false });
      request.on('end', () => {
        response.addTrailers({ 'X-End': `${request.trailers['x-sum']}!` });
        response.end();
      });
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    const body = randomBytes(20 * 1024 * 1024);
    const request = { ':method': 'POST', ':path': '/', ':authority': domain, te: 'trailers', trailer: 'x-sum' };
    const stream = client.session.request(request, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': 'sum' }));
    stream.end(body);
    const answer = await answerOf(stream);
    expect(sha256(answer.body)).toBe(sha256(body));
    expect(answer.trailers['x-end']).toBe('sum!');
  });

  it('H10 trailers of a request that would frame, route or claim something are left out', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startHttpOrigin((request, response) => {
      request.resume().on('end', () => response.end(JSON.stringify(request.rawTrailers)));
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    const request = { ':method': 'POST', ':path': '/', ':authority': domain };
    const stream = client.session.request(request, { waitForTrailers: true });
    const bad = {
      'x-forwarded-for': '6.6.6.6',
      via: '1.1 x',
      trailer: 'y',
      expect: '100-continue',
      'content-type': 'a/b',
    };
    stream.on('wantTrailers', () => stream.sendTrailers({ ...bad, 'x-good': '1' }));
    stream.end('body');
    expect(JSON.parse((await answerOf(stream)).body.toString())).toEqual(['x-good', '1']);
  });

  it('H4 costs no more than what it leaves unread, whatever passes beside it', async () => {
    await using edge = await startHttpsEdge();
    const events: Array<() => void> = [];
    const piece = Buffer.alloc(64 * 1024);
    await using origin = await startHttpOrigin((request, response) => {
      response.flushHeaders();
      if (request.url === '/events') return void events.push(() => response.write('x'.repeat(200)));
      const more = (): void => {
        while (response.write(piece));
      };
      response.on('drain', more);
      more();
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    // Its own HTTP/2 is in this process, too, and shall hold nothing.
    using slow = await connectHttp2(edge, { initialWindowSize: 1 });
    using client = await connectHttp2(edge);
    await once(slow.open('/events'), 'response');
    const heldBefore = heldBytes();
    const bulk = client.open('/bulk').resume();
    await once(bulk, 'response');
    for (let count = 0; count < 1500; count += 1) {
      events[0]?.();
      await nextTurn();
      await once(bulk, 'data');
    }
    bulk.close(constants.NGHTTP2_CANCEL);
    // What was on its way beside it, however much that is on a busy machine, is not what is looked for.
    await eventually('nothing passes any more', () => origin.open.size === 1);
    expect(heldBytes() - heldBefore).toBeLessThan(4 * 1024 * 1024);
  });

  it('H4 does not take a stream down with another one that it does not read', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startHttpOrigin((request, response) => {
      if (request.url === '/small') return void response.end('small');
      const piece = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (response.write(piece));
      };
      response.on('drain', more);
      more();
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    const unread = client.open('/endless');
    await once(unread, 'response');
    for (let count = 0; count < 20; count += 1) expect((await client.ask('/small')).body.toString()).toBe('small');
  });

  it('H5 gets server-sent events as they are written', async () => {
    await using edge = await startHttpsEdge();
    const sent: Array<(text: string) => void> = [];
    await using origin = await startHttpOrigin((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.flushHeaders();
      sent.push((text) => response.write(text));
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    const stream = client.open('/');
    await once(stream, 'response');
    for (const text of ['one', 'two']) {
      sent[0]?.(text);
      expect(String((await once(stream, 'data'))[0])).toBe(text);
    }
  });

  it('H7 is told of failures with their codes, and a body that breaks off is a reset', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startSocketOrigin((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome');
        setImmediate(() => socket.destroy());
      });
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    await expect(client.ask('/')).rejects.toThrow(`reset with ${constants.NGHTTP2_INTERNAL_ERROR}`);
    const unknown = await client.ask('/', { ':authority': 'other.test', accept: 'application/json' });
    expect(unknown.status).toBe(404);
    expect(JSON.parse(unknown.body.toString())).toMatchObject({ code: 'GIR_ERR_ENDPOINT_UNKNOWN' });
  });

  it('H8 that resets a stream reaches the origin, and only there', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startHttpOrigin((request, response) => {
      if (request.url === '/here') response.end('here');
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    const streams = Array.from({ length: 20 }, () => client.open('/hangs'));
    await eventually('all are at the origin', () => origin.open.size === 20);
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
    await eventually('none is left', () => origin.open.size === 0);
    expect((await client.ask('/here')).body.toString()).toBe('here');
  });

  it('H8 that gives up hundreds of answers keeps its connection', async () => {
    await using edge = await startHttpsEdge();
    const body = Buffer.alloc(2 * 1024 * 1024, 'giraffe ');
    await using origin = await startHttpOrigin((_request, response) => response.end(body));
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    for (let count = 0; count < 180; count += 1) {
      const stream = client.open('/');
      await eventually('a full window', () => stream.readableLength === 65_535);
      // What has gathered at the edge goes to its HTTP/2 in one piece as soon as the first one has left.
      let receivedBytes = 0;
      stream.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length;
        if (receivedBytes > 96 * 1024 && !stream.closed) stream.close(constants.NGHTTP2_CANCEL);
      });
      await once(stream, 'close');
    }
    const answer = await client.ask('/');
    expect([answer.status, answer.body.equals(body)]).toEqual([200, true]);
  });

  it('H11 gets interim answers, an early refusal of its upload, and HEAD without a body', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startHttpOrigin((request, response) => {
      if (request.method === 'POST') return void response.writeHead(413).end('too much');
      if (request.method === 'HEAD') return void response.writeHead(200, { 'Content-Length': '7' }).end();
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      response.end('done');
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    const hinted = client.open('/');
    const [hints] = (await once(hinted, 'headers')) as [Record<string, string>];
    expect(hints).toMatchObject({ ':status': 103, link: '</a.css>; rel=preload' });
    expect((await answerOf(hinted)).body.toString()).toBe('done');

    const upload = client.open('/', { ':method': 'POST' }, false);
    upload.write(Buffer.alloc(100_000));
    expect((await answerOf(upload)).status).toBe(413);

    const head = await client.ask('/', { ':method': 'HEAD' });
    expect([head.headers['content-length'], head.body.length]).toEqual(['7', 0]);
  });

  it.each<[string, OutgoingHttpHeaders, number]>([
    ['CONNECT', { ':method': 'CONNECT', ':path': undefined, ':scheme': undefined }, 501],
    ['another Host than :authority', { host: 'other.test' }, 400],
    ['a :path with a fragment', { ':path': '/a#b' }, 400],
    ['an :authority that is none', { ':authority': 'a:b' }, 400],
    ['a name that imitates Content-Length', { content_length: '5' }, 400],
    ['a head above the limit', { 'x-large': 'x'.repeat(10_000) }, 431],
  ])('S4 is refused with %s', async (_name, headers, status) => {
    await using edge = await startHttpsEdge({ maxHeadBytes: 8192 });
    await using origin = await startHttpOrigin((_request, response) => response.end());
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    expect((await client.ask('/', headers)).status).toBe(status);
    expect(origin.connections).toBe(0);
  });

  it('S4 is refused with user information in its :authority, by us or by the HTTP/2 of a newer Node', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startHttpOrigin((_request, response) => response.end());
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    const refusal = await client.ask('/', { ':authority': `user@${domain}` }).then(
      ({ status }) => status,
      (error: Error) => error.message,
    );
    expect([400, 'Stream closed with error code NGHTTP2_PROTOCOL_ERROR']).toContain(refusal);
    expect(origin.connections).toBe(0);
  });

  it('H10 gets a 426 without the fields that HTTP/2 forbids, and the tunnel serves on', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startHttpOrigin((request, response) => {
      if (request.url === '/here') return void response.end('here');
      response.writeHead(426, { Upgrade: 'websocket', Connection: 'Upgrade' }).end();
    });
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    const { status, headers } = await client.ask('/');
    expect([status, headers['upgrade'], headers['connection']]).toEqual([426, undefined, undefined]);
    expect((await client.ask('/here')).body.toString()).toBe('here');
  });

  it('T5 has its answers before the edge that drains closes its connection', async () => {
    const edge = await startHttpsEdge();
    const waiting: Array<() => void> = [];
    await using origin = await startHttpOrigin((_request, response) => void waiting.push(() => response.end('late')));
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    const answer = client.ask('/');
    await eventually('it is at the origin', () => waiting.length === 1);
    const drained = edge.edge.drain(10_000);
    const closed = once(client.session, 'close');
    waiting[0]?.();
    expect((await answer).body.toString()).toBe('late');
    await Promise.all([drained, closed]);
  });

  it.each(['http/1.1', 'h2'])(
    'T5 of %s that connects while the edge drains, and is silent, does not hold it up',
    async (protocol) => {
      const tooLongMs = 600_000;
      const edge = await startHttpsEdge({ headTimeoutMs: tooLongMs });
      const { proxy: port } = edge.edge.ports;
      const waiting = connectTcp(port, '127.0.0.1');
      await once(waiting, 'connect');
      const drained = edge.edge.drain(tooLongMs);
      const { caPem: ca } = await testCertificate();
      const socket = tlsConnect({ socket: waiting, servername: 'localhost', ca, ALPNProtocols: [protocol] });
      socket.on('error', () => {}).resume();
      await once(socket, 'secureConnect');
      await drained;
    },
  );

  it('S5 that is idle is closed, before its first request and after', async () => {
    await using edge = await startHttpsEdge({ keepAliveTimeoutMs: 1500, headTimeoutMs: 1500 });
    await using origin = await startHttpOrigin((_request, response) => response.end());
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using fresh = await connectHttp2(edge);
    using used = await connectHttp2(edge);
    const closed = Promise.all([once(fresh.session, 'close'), once(used.session, 'close')]);
    expect((await used.ask('/')).status).toBe(200);
    await closed;
    const metric = edge.edge
      .snapshot()
      .metrics.find(({ name }) => name === 'giraffe_client_connections_given_up_total');
    expect(metric?.samples).toEqual([{ labels: { code: 'GIR_ERR_CLIENT_IDLE' }, value: 2 }]);
  });
});

describe('a certificate source', () => {
  it('hears of endpoints that agents open, and not of those of a trial', async () => {
    const heard: string[] = [];
    const source = { want: (names: readonly string[]) => heard.push(...names), certificateFor: () => undefined };
    await using edge = await startTestEdge(
      {},
      { proxyCertificate: await testCertificate(), certificateSource: { name: 'test', source } },
    );
    const tunnel = { domain: undefined, target: parseTarget('3000') };
    await using _trial = await startTestAgent(edge.edge.ports, domain, '3000', { tunnels: [tunnel], trial: true });
    await using _agent = await startTestAgent(edge.edge.ports, domain, '3000');
    expect(heard).toEqual(['localhost', domain]);
  });
});

describe('a CA that looks for a proof', () => {
  it('S5 and does not close behind it is dropped', async () => {
    const certificate = await testCertificate();
    const source = { want: () => {}, certificateFor: () => undefined, challengeCertificateFor: () => certificate };
    const certificateSource = { name: 'test', source: { ...source, challengeAnswerFor: () => undefined } };
    await using edge = await startTestEdge({}, { proxyCertificate: certificate, certificateSource });
    const raw = connectTcp({ port: edge.edge.ports.proxy, host: '127.0.0.1', allowHalfOpen: true });
    const socket = tlsConnect({
      socket: raw,
      servername: 'localhost',
      ca: certificate.caPem,
      ALPNProtocols: ['acme-tls/1'],
    });
    await once(socket.on('error', () => {}).resume(), 'secureConnect');
    await eventually('its octets are answered with an RST', () => {
      if (!raw.destroyed) socket.write('still here');
      return raw.destroyed;
    });
  });
});

describe('an HTTPS client that speaks HTTP/1.1', () => {
  it('keeps its connection, and sees a broken transfer as one', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startHttpOrigin((request, response) => {
      if (request.url === '/whole') return void response.end(request.headers['x-forwarded-proto']);
      response.write('some');
      breakOff = () => response.destroy();
    });
    let breakOff = (): void => {};
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    const { caPem } = await testCertificate();
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: caPem });
    const ask = async (path: string) => {
      const outgoing = httpsRequest({
        port: edge.edge.ports.proxy,
        host: 'localhost',
        path,
        agent,
        headers: { Host: domain },
        servername: 'localhost',
      });
      outgoing.end();
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      return response;
    };
    try {
      expect((await readAnswer(await ask('/whole'))).text).toBe('https');
      expect((await readAnswer(await ask('/whole'))).text).toBe('https');
      const broken = await ask('/broken');
      breakOff();
      await expect(readAnswer(broken)).rejects.toThrow();
    } finally {
      agent.destroy();
    }
  });

  it('W1 opens WebSockets', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startWebSocketOrigin();
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    const { caPem } = await testCertificate();
    const socket = new WebSocket(`wss://localhost:${edge.edge.ports.proxy}/`, { ca: caPem, headers: { Host: domain } });
    await once(socket, 'open');
    socket.send('hello');
    expect(String(await nextMessage(socket))).toBe('hello');
    socket.close();
    await once(socket, 'close');
  });
});

describe('the certificate of the proxy port', () => {
  it('T8 is another one after a reload, without a connection dropped', async () => {
    await using edge = await startHttpsEdge();
    await using origin = await startHttpOrigin((_request, response) => response.end('there'));
    await using _agent = await startTestAgent(edge.edge.ports, domain, origin.target);
    using client = await connectHttp2(edge);
    expect((await client.ask('/')).body.toString()).toBe('there');
    const renewed = await createCertificate();
    edge.edge.reload(await testCertificate(), renewed);
    expect((await client.ask('/')).body.toString()).toBe('there');
    const fresh = tlsConnect({ port: edge.edge.ports.proxy, host: 'localhost', ca: renewed.caPem });
    await once(fresh, 'secureConnect');
    expect(fresh.authorized).toBe(true);
    fresh.destroy();
  });

  it('S5 clients that do not finish their handshake are dropped', async () => {
    await using edge = await startHttpsEdge({ handshakeTimeoutMs: 300 });
    const { connect: connectTcp } = await import('node:net');
    const socket = connectTcp(edge.edge.ports.proxy, '127.0.0.1');
    socket.resume();
    await once(socket, 'close');
  });
});
