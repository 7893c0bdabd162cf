/**
 * A script: the origin behind all agents of a soak. Answers octets that the asker can make as well, echoes, counts what it
 * has done for each name, and sends events. It outlives every disturbance: what it has counted is the truth.
 *
 * Answers `repeated`: names of work that was done more than once; `open`: connections that are open; and a name: how often
 * the work was done.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { serveScript } from '../test/support/script-process.ts';
import { echoMessages, startWebSocketOrigin } from '../test/support/websocket-origin.ts';
import { eventText, workNameField } from './agreement.ts';
import { octetsOf, piecesOf } from './octets.ts';

/** Time between two events of /events, in milliseconds. */
const eventGapMs = 8;
/** Octets of each piece of a body without length. */
const pieceBytes = 7_001;

type Answer = (request: IncomingMessage, response: ServerResponse, query: URLSearchParams) => void;

const timesDone = new Map<string, number>();

const answers: Readonly<Record<string, Answer>> = {
  '/octets': sendOctets,
  '/echo': (request, response) => void request.pipe(response),
  '/count': count,
  '/events': sendEvents,
  '/late': (_request, response, query) => void setTimeout(() => response.end('late'), Number(query.get('ms'))),
  '/hold': () => undefined,
};

const origin = await startWebSocketOrigin(
  echoMessages,
  { perMessageDeflate: false, maxPayload: 0 },
  (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://origin');
    const answer = answers[pathname];
    if (answer !== undefined) return answer(request, response, searchParams);
    response.writeHead(404).end();
  },
);

serveScript(origin.target, (question) => {
  if (question === 'open') return origin.open;
  if (question === 'repeated') return [...timesDone].filter(([, times]) => 1 < times).map(([name]) => name);
  return timesDone.get(question) ?? 0;
});

function sendOctets(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
  const bytes = Number(query.get('bytes'));
  if (query.get('framing') === 'length' || request.method === 'HEAD') response.setHeader('Content-Length', bytes);
  if (request.method === 'HEAD') return void response.end();
  const pieces = piecesOf(octetsOf(Number(query.get('seed')), bytes), () => pieceBytes);
  // Not `for of`, which ends the generator with the loop.
  const send = (): void => {
    for (let next = pieces.next(); !next.done; next = pieces.next()) {
      if (!response.write(next.value)) return void response.once('drain', send);
    }
    response.end();
  };
  send();
}

/** Does something that must not be done twice, once the whole request is there. */
function count(request: IncomingMessage, response: ServerResponse): void {
  const name = String(request.headers[workNameField]);
  const hash = createHash('sha256');
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  request.on('end', () => {
    timesDone.set(name, (timesDone.get(name) ?? 0) + 1);
    response.setHeader('Set-Cookie', ['first=1', 'second=2']);
    response.end(JSON.stringify({ name, bytes, sha256: hash.digest('hex') }));
  });
}

function sendEvents(_request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
  const total = Number(query.get('count'));
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(eventText(sent));
    sent += 1;
    if (sent === total) response.end();
  }, eventGapMs);
  response.on('close', () => clearInterval(timer));
  response.on('finish', () => clearInterval(timer));
}
