/**
 * The sample service of the demo: a page, a streamed download, an upload, server-sent events and a WebSocket echo.
 * Listens on a free loopback port and prints it.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { WebSocketServer } from 'ws';

/** Octets of the download: large enough that nobody could have held it back whole. */
const downloadBytes = 64 * 1024 * 1024;
const eventsPerStream = 5;
const msBetweenEvents = 200;

const page = `<!doctype html>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Hello from behind giraffe</title>
<style>
  :root { color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif }
  body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
  output { display: block; font-family: ui-monospace, monospace; white-space: pre-wrap }
</style>
<h1>Hello from behind giraffe</h1>
<p>This page came from a private port through a gRPC tunnel. The lines below arrive live.</p>
<h2>Server-sent events</h2><output id="events"></output>
<h2>WebSocket echo</h2><output id="echo"></output>
<script>
  const show = (id, text) => { document.getElementById(id).textContent += text + '\\n'; };
  const events = new EventSource('/events');
  events.onmessage = ({ data }) => show('events', data);
  events.onerror = () => events.close();
  const socket = new WebSocket('ws://' + location.host + '/ws/echo');
  socket.onopen = () => { show('echo', 'sent hello'); socket.send('hello'); };
  socket.onmessage = ({ data }) => show('echo', 'got ' + data);
</script>
`;

function downloadPieces(): Iterable<Buffer> {
  const piece = Buffer.alloc(64 * 1024);
  return (function* () {
    for (let sent = 0; sent < downloadBytes; sent += piece.length)
      yield Buffer.from(piece.fill((sent / piece.length) % 251));
  })();
}

function download(response: ServerResponse): void {
  const hash = createHash('sha256');
  for (const piece of downloadPieces()) hash.update(piece);
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'X-Content-SHA256': hash.digest('hex') });
  Readable.from(downloadPieces()).pipe(response);
}

function upload(request: IncomingMessage, response: ServerResponse): void {
  const hash = createHash('sha256');
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    hash.update(chunk);
  });
  request.on('end', () => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ bytes, sha256: hash.digest('hex') }));
  });
}

function events(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    response.write(`data: event ${sent} of ${eventsPerStream} at ${new Date().toISOString()}\n\n`);
    if (sent === eventsPerStream) response.end();
  }, msBetweenEvents);
  response.on('close', () => clearInterval(timer));
}

const server = createServer((request, response) => {
  switch (request.url) {
    case '/':
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(page);
      return;
    case '/download':
      download(response);
      return;
    case '/upload':
      upload(request, response);
      return;
    case '/events':
      events(response);
      return;
    default:
      response.writeHead(404).end('nothing here\n');
  }
});

new WebSocketServer({ server, path: '/ws/echo' }).on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
