/** A signal under load: nothing in flight is lost, and a second signal does not wait. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { eventually } from '../support/eventually.ts';
import { type ChildProgram, GiraffeHome, type RunningEdge } from '../support/giraffe-process.ts';
import { HttpClient, readAnswer } from '../support/http-client.ts';
import { rawClient } from '../support/raw-client.ts';
import { echoMessages, nextMessage, openWebSocket } from '../support/websocket-origin.ts';

const domain = 'app.localhost';
const piece = Buffer.alloc(256 * 1024, 'giraffe ');
const downloadPieces = 40;
const uploads = 20;

/** A service that echoes WebSocket messages, and holds back all other answers until it is told to go on. */
async function startPatientOrigin() {
  let goOn: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let requests = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests += 1;
    const hash = createHash('sha256');
    if (request.url === '/download') response.write(piece);
    else for await (const chunk of request) hash.update(chunk as Buffer);
    await released;
    if (request.url !== '/download') return void response.end(hash.digest('hex'));
    for (let sent = 1; sent < downloadPieces; sent += 1) response.write(piece);
    response.end();
  };
  const server = createServer((request, response) => void serve(request, response).catch(() => {}));
  new WebSocketServer({ server }).on('connection', echoMessages);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    goOn,
    requests: () => requests,
    [Symbol.dispose]: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Has everything in flight: uploads half sent, a download half read, a WebSocket. */
async function startLoad(port: number) {
  const client = new HttpClient(port, domain);
  const headers = { 'Content-Length': String(2 * piece.length) };
  const posts = Array.from({ length: uploads }, () => client.open('POST', '/upload', { headers }));
  for (const { outgoing } of posts) outgoing.write(piece);
  const download = client.open('GET', '/download');
  download.outgoing.end();
  const response = await download.answer;
  const socket = await openWebSocket(port, '/ws', { host: domain });
  return {
    /** Sends the rest and expects every answer to be whole and right. */
    finish: async () => {
      const digest = createHash('sha256').update(piece).update(piece).digest('hex');
      for (const { outgoing } of posts) outgoing.end(piece);
      const answers = await Promise.all(posts.map(async ({ answer }) => readAnswer(await answer)));
      expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual(Array(uploads).fill(`200 ${digest}`));
      expect((await readAnswer(response)).body.length).toBe(downloadPieces * piece.length);
      const echo = nextMessage(socket);
      socket.send('still here');
      expect((await echo).toString()).toBe('still here');
      const closed = once(socket, 'close');
      socket.close(1000);
      expect((await closed)[0]).toBe(1000);
    },
    [Symbol.dispose]: () => {
      client[Symbol.dispose]();
      socket.terminate();
    },
  };
}

async function startScene(home: GiraffeHome, originPort: number): Promise<{ edge: RunningEdge; agent: ChildProgram }> {
  const edge = await home.startEdge();
  return { edge, agent: await home.startAgent(edge, originPort, ['--domain', domain]) };
}

/** Resolves when a proxy port takes no more connections. */
async function refusesConnections(port: number): Promise<void> {
  await eventually('no new connection', () =>
    rawClient(port, '', { halfOpen: false }).then(
      (client) => {
        client[Symbol.dispose]();
        return false;
      },
      () => true,
    ),
  );
}

describe('the first signal', () => {
  it('T5 SIGTERM to an edge under load loses nothing that is in flight', async () => {
    await using home = new GiraffeHome();
    using origin = await startPatientOrigin();
    const { edge } = await startScene(home, origin.port);
    using load = await startLoad(edge.ports.proxy);
    await eventually('all requests at the origin', () => origin.requests() === uploads + 1);
    edge.process.kill('SIGTERM');
    await edge.process.prints('draining');
    await refusesConnections(edge.ports.proxy);
    origin.goOn();
    await load.finish();
    expect(await edge.process.ended()).toEqual({ code: 0, signal: null });
  });

  it('T5 SIGTERM to an edge serves whoever has connected by then, even if it has not looked at them yet', async () => {
    await using home = new GiraffeHome();
    using origin = await startPatientOrigin();
    origin.goOn();
    const { edge } = await startScene(home, origin.port);
    const request = `GET /late HTTP/1.1\r\nHost: ${domain}\r\n\r\n`;
    using keptAlive = await rawClient(edge.ports.proxy, request);
    await keptAlive.until('\r\n\r\n');
    using silent = await rawClient(edge.ports.proxy);
    // What comes while it stands still waits in the system, and is there together with the signal.
    edge.process.kill('SIGSTOP');
    const clients = await Promise.all(Array.from({ length: 20 }, () => rawClient(edge.ports.proxy, request)));
    keptAlive.send(request);
    edge.process.kill('SIGTERM');
    edge.process.kill('SIGCONT');
    await edge.process.prints('draining');
    silent.send(request);
    await Promise.all([silent, ...clients].map(({ ended }) => ended));
    const heads = [silent, ...clients].map(({ text }) => text.slice(0, text.indexOf('\r\n')));
    expect(heads).toEqual(Array(21).fill('HTTP/1.1 200 OK'));
    await keptAlive.ended;
    expect(keptAlive.text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    for (const client of [keptAlive, silent, ...clients]) client[Symbol.dispose]();
    expect(await edge.process.ended()).toEqual({ code: 0, signal: null });
  });

  it('T5 SIGTERM to an agent under load loses nothing that is in flight', async () => {
    await using home = new GiraffeHome();
    using origin = await startPatientOrigin();
    const { edge, agent } = await startScene(home, origin.port);
    using load = await startLoad(edge.ports.proxy);
    await eventually('all requests at the origin', () => origin.requests() === uploads + 1);
    agent.kill('SIGTERM');
    await agent.event('draining');
    origin.goOn();
    await load.finish();
    expect(await agent.ended()).toEqual({ code: 0, signal: null });
  });

  it('T5 an agent that leaves a shared name under load costs no request, POST included', async () => {
    await using home = new GiraffeHome();
    using origin = await startPatientOrigin();
    origin.goOn();
    const { edge, agent } = await startScene(home, origin.port);
    const other = await home.startAgent(edge, origin.port, ['--domain', domain]);
    using client = new HttpClient(edge.ports.proxy, domain);
    const statuses: number[] = [];
    let isOver = false;
    const workers = Array.from({ length: 10 }, async (_, worker) => {
      while (!isOver) {
        const method = worker % 2 === 0 ? 'POST' : 'GET';
        statuses.push((await client.send(method, '/x', method === 'POST' ? 'body' : undefined)).status);
      }
    });
    await agent.event('request');
    expect(await agent.end('SIGTERM')).toEqual({ code: 0, signal: null });
    const served = statuses.length;
    await eventually('requests after the end', () => served + 100 < statuses.length);
    isOver = true;
    await Promise.all(workers);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(other.events.some(({ event }) => event === 'reconnecting')).toBe(false);
  });

  it('T5 what is in flight is cut when --drain-timeout is over, visibly', async () => {
    await using home = new GiraffeHome();
    using origin = await startPatientOrigin();
    const edge = await home.startEdge(['--drain-timeout', '500ms']);
    await home.startAgent(edge, origin.port, ['--domain', domain]);
    using client = new HttpClient(edge.ports.proxy, domain);
    const { outgoing, answer } = client.open('GET', '/download');
    outgoing.end();
    const response = await answer;
    expect(await edge.process.end('SIGTERM')).toEqual({ code: 0, signal: null });
    await expect(readAnswer(response)).rejects.toThrow();
  });
});

describe('the second signal', () => {
  it.each([
    ['SIGTERM', 'edge', 143],
    ['SIGINT', 'edge', 130],
    ['SIGTERM', 'agent', 143],
    ['SIGINT', 'agent', 130],
  ] as const)('T5 %s ends an %s at once, whatever is in flight', async (signal, who, code) => {
    await using home = new GiraffeHome();
    using origin = await startPatientOrigin();
    const { edge, agent } = await startScene(home, origin.port);
    using _load = await startLoad(edge.ports.proxy);
    await eventually('all requests at the origin', () => origin.requests() === uploads + 1);
    const ended = who === 'edge' ? edge.process : agent;
    ended.kill('SIGTERM');
    if (who === 'edge') await ended.prints('draining');
    else await ended.event('draining');
    expect(await ended.end(signal)).toEqual({ code, signal: null });
  });
});
