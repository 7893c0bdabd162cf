/** O4: edge and agents behind real web servers, with the configurations in deploy/. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { freePort } from '../support/free-port.ts';
import { FrontServer, shippedConfiguration } from '../support/front-server.ts';
import { type ChildProgram, GiraffeHome, type RunningEdge, servesHybrid } from '../support/giraffe-process.ts';
import { type HttpAnswer, readAnswer } from '../support/http-client.ts';
import { hasPrograms } from '../support/programs.ts';
import { sha256 } from '../support/sha256.ts';
import { createCertificate } from '../support/test-certificate.ts';
import { nextMessage, startWebSocketOrigin, type WebSocketOrigin } from '../support/websocket-origin.ts';

/** The front server is on 127.0.0.1 and the edge on this address, so that nothing reaches the edge but through it. */
const edgeHost = '127.0.0.2';
const domain = 'app.localhost';

/** A way for clients to the tunnel. */
interface Way {
  readonly port: number;
  /** PEM of the CA that clients trust; undefined for plain HTTP. */
  readonly ca: string | undefined;
  /** Address that the client calls from. */
  readonly from: string;
}

function open({ port, ca, from }: Way, method: string, path: string, options: RequestOptions = {}) {
  const common = { host: '127.0.0.1', port, method, path, localAddress: from, agent: false as const, ...options };
  const headers = { Host: domain, ...(options.headers as Record<string, string> | undefined) };
  const outgoing =
    ca === undefined
      ? httpRequest({ ...common, headers })
      : httpsRequest({ ...common, headers, ca, servername: domain });
  const answer = once(outgoing, 'response').then(([response]) => response as IncomingMessage);
  answer.catch(() => {});
  return { outgoing, answer };
}

async function send(way: Way, method: string, path: string, body?: Buffer): Promise<HttpAnswer> {
  const { outgoing, answer } = open(way, method, path);
  outgoing.end(body);
  return readAnswer(await answer);
}

const bulk = randomBytes(4 * 1024 * 1024);

/** An origin that tells what it was asked, and takes and gives bodies; its WebSockets echo. */
async function startOrigin(): Promise<WebSocketOrigin & { sendEvent(text: string): void }> {
  const origin = await startWebSocketOrigin();
  let events: { write(text: string): void } | undefined;
  const [http] = [origin.server.options.server];
  http?.removeAllListeners('request');
  http?.on('request', (request, response) => {
    if (request.url === '/events') {
      events = response;
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.flushHeaders();
    } else if (request.url === '/bulk') {
      response.end(bulk);
    } else if (request.method === 'POST') {
      const hash = createHash('sha256');
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => response.end(hash.digest('hex')));
    } else {
      response.writeHead(200, [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['Content-Type', 'application/json'],
      ]);
      response.end(JSON.stringify(request.headers));
    }
  });
  return Object.assign(origin, { sendEvent: (text: string) => events?.write(`data: ${text}\n\n`) });
}

/** Does with the tunnel what browsers and programs do. */
async function expectServes(way: Way, origin: Awaited<ReturnType<typeof startOrigin>>): Promise<void> {
  const plain = await send(way, 'GET', '/');
  expect(plain.status).toBe(200);
  expect(plain.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  const seen = JSON.parse(plain.text) as Record<string, string>;
  expect(seen['host']).toBe(domain);
  expect(seen['x-forwarded-for']?.split(', ')[0]).toBe(way.from);
  expect(seen['x-forwarded-proto']).toBe(way.ca === undefined ? 'http' : 'https');

  expect(sha256((await send(way, 'GET', '/bulk')).body)).toBe(sha256(bulk));
  expect((await send(way, 'POST', '/', bulk)).text).toBe(sha256(bulk));

  // Each event is sent only when the one before has come: they are live, or this never ends.
  const { outgoing, answer } = open(way, 'GET', '/events');
  outgoing.end();
  const events = (await answer).setEncoding('utf8');
  for (const text of ['one', 'two', 'three']) {
    origin.sendEvent(text);
    expect(await once(events, 'data')).toEqual([`data: ${text}\n\n`]);
  }
  events.destroy();

  const scheme = way.ca === undefined ? 'ws' : 'wss';
  const socket = new WebSocket(`${scheme}://127.0.0.1:${way.port}/chat`, {
    headers: { Host: domain },
    localAddress: way.from,
    ...(way.ca === undefined ? {} : { ca: way.ca, servername: domain }),
  });
  await once(socket, 'open');
  socket.send(bulk.subarray(0, 100_000));
  expect(sha256(await nextMessage(socket))).toBe(sha256(bulk.subarray(0, 100_000)));
  socket.close(4001, 'done');
  expect((await once(socket, 'close'))[0]).toBe(4001);
}

/** Replacements for the certificate and the names in a shipped configuration. */
function names(cert: string, key: string) {
  return [
    ['/etc/ssl/tunnels.example.com/fullchain.pem', cert],
    ['/etc/ssl/tunnels.example.com/privkey.pem', key],
  ] as const;
}

async function startAgent(home: GiraffeHome, origin: WebSocketOrigin, args: readonly string[]): Promise<ChildProgram> {
  const agent = home.run(['tunnel', origin.target, '--domain', domain, '--no-inspect', '--json', ...args]);
  await servesHybrid(agent);
  return agent;
}

function edgeArgs(tunnelPort: number): string[] {
  const ports = ['--proxy-port', '0', '--api-port', '0', '--grpc-port', '0', '--tunnel-port', String(tunnelPort)];
  return ['--host', edgeHost, ...ports];
}

async function startEdge(home: GiraffeHome, args: readonly string[]): Promise<RunningEdge> {
  const edge = home.run(['server', 'start', '--json', ...args]);
  const { ports } = await edge.event('ready');
  return { process: edge, ports: ports as RunningEdge['ports'] };
}

describe.skipIf(!hasPrograms('nginx'))('behind nginx', () => {
  it('O4 serves HTTP and WebSocket clients, and both tunnels of its agents', async () => {
    await using home = new GiraffeHome();
    await using front = new FrontServer();
    await using origin = await startOrigin();
    const { certPem, keyPem, caPem } = await createCertificate(['localhost', domain]);
    const [httpPort, httpsPort, tunnelPort] = [await freePort(), await freePort(), await freePort()];
    const plaintext = ['--grpc-plaintext', '0', '--grpc-plaintext-host', edgeHost];
    const { ports } = await startEdge(home, [...edgeArgs(tunnelPort), ...plaintext, '--trusted-proxy', '127.0.0.1']);
    const certificate = names(front.file('fullchain.pem', certPem), front.file('privkey.pem', keyPem));
    const http = shippedConfiguration('nginx/giraffe-http.conf', [
      ...certificate,
      ['127.0.0.1:8081', `${edgeHost}:${ports.proxy}`],
      ['127.0.0.1:4445', `${edgeHost}:${(ports as { grpcPlaintext?: number }).grpcPlaintext}`],
      ['tunnels.example.com', 'localhost'],
      ['listen 80;', `listen 127.0.0.1:${httpPort};`],
      ['listen 443 ssl http2;', `listen 127.0.0.1:${httpsPort} ssl http2;`],
    ]);
    const stream = shippedConfiguration('nginx/giraffe-stream.conf', [
      ...certificate,
      ['127.0.0.1:4443', `${edgeHost}:${tunnelPort}`],
      ['203.0.113.7:4443', `127.0.0.1:${tunnelPort}`],
    ]);
    const main = front.file('nginx.conf', nginxMain(front.folder, http, stream));
    await front.start('nginx', ['-p', front.folder, '-c', main], [httpPort, httpsPort, tunnelPort]);
    const ca = front.file('ca.pem', caPem);
    const agent = await startAgent(home, origin, ['--server', `localhost:${httpsPort}`, '--ca', ca]);

    await expectServes({ port: httpsPort, ca: caPem, from: '127.0.0.9' }, origin);
    await expectServes({ port: httpPort, ca: undefined, from: '127.0.0.8' }, origin);
    expect(agent.events.filter(({ event }) => event === 'reconnecting')).toEqual([]);
  });
});

function nginxMain(folder: string, http: string, stream: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join('\n');
  return `
daemon off; pid ${folder}/nginx.pid; error_log stderr warn; worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events { worker_connections 512; }
http { access_log off; ${temporary}
${http}
}
stream {
${stream}
}
`;
}

describe.skipIf(!hasPrograms('caddy'))('behind Caddy', () => {
  it('O4 serves HTTP and WebSocket clients, and the gRPC tunnel of its agents', async () => {
    await using home = new GiraffeHome();
    await using front = new FrontServer();
    await using origin = await startOrigin();
    const { certPem, keyPem, caPem } = await createCertificate(['localhost', domain]);
    const httpsPort = await freePort();
    const certificate = [front.file('fullchain.pem', certPem), front.file('privkey.pem', keyPem)].join(' ');
    const edgeCertificate = [
      '--tls-cert',
      front.file('edge.pem', certPem),
      '--tls-key',
      front.file('edge.key', keyPem),
    ];
    const plaintext = ['--grpc-plaintext', '0', '--grpc-plaintext-host', edgeHost];
    // The TCP tunnel goes to the edge itself, as the Caddyfile says: so this edge is where `localhost` leads, too.
    const { ports } = await startEdge(home, [
      ...edgeArgs(0).filter((arg) => arg !== '--host' && arg !== edgeHost),
      ...edgeCertificate,
      ...plaintext,
      ...['--trusted-proxy', '127.0.0.1'],
    ]);
    const site = shippedConfiguration('caddy/Caddyfile', [
      ['reverse_proxy 127.0.0.1:8081', `reverse_proxy ${edgeHost}:${ports.proxy}`],
      ['127.0.0.1:4445', `${edgeHost}:${(ports as { grpcPlaintext?: number }).grpcPlaintext}`],
      ['\n*.tunnels.example.com {', `\nhttps://*.localhost:${httpsPort} {\n\ttls ${certificate}`],
      ['\ntunnels.example.com {', `\nhttps://localhost:${httpsPort} {\n\ttls ${certificate}`],
    ]);
    const file = front.file('Caddyfile', `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${site}`);
    await front.start('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], [httpsPort]);
    const ca = front.file('ca.pem', caPem);
    await startAgent(home, origin, ['--server', `localhost:${httpsPort}`, '--ca', ca]);
    await expectServes({ port: httpsPort, ca: caPem, from: '127.0.0.9' }, origin);
  });
});

describe.skipIf(!hasPrograms('haproxy'))('behind haproxy', () => {
  it('O4 knows the address of each client by the PROXY protocol, and serves agents through it', async () => {
    await using home = new GiraffeHome();
    await using front = new FrontServer();
    await using origin = await startOrigin();
    const [httpPort, grpcPort, tunnelPort] = [await freePort(), await freePort(), await freePort()];
    const file = front.file('giraffe.config.yaml', 'server: { proxyProtocol: [127.0.0.1] }\n');
    const { ports } = await startEdge(home, [...edgeArgs(tunnelPort), '--config', file]);
    const configuration = shippedConfiguration('haproxy/haproxy.cfg', [
      ['127.0.0.1:8081', `${edgeHost}:${ports.proxy}`],
      ['127.0.0.1:4444', `${edgeHost}:${ports.grpc}`],
      ['127.0.0.1:4443', `${edgeHost}:${ports.tunnel}`],
      ['maxconn 20000', 'maxconn 100'],
      ['203.0.113.7:80', `127.0.0.1:${httpPort}`],
      ['203.0.113.7:4444', `127.0.0.1:${grpcPort}`],
      ['203.0.113.7:4443', `127.0.0.1:${tunnelPort}`],
    ]);
    await front.start('haproxy', ['-db', '-f', front.file('haproxy.cfg', configuration)], [httpPort, grpcPort]);
    await startAgent(home, origin, ['--server', `localhost:${grpcPort}`]);
    await expectServes({ port: httpPort, ca: undefined, from: '127.0.0.9' }, origin);
  });
});
