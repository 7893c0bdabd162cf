/** Work that takes its time: events, answers that come late, WebSockets, and answers that nobody waits for. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { nextMessage } from '../../test/support/websocket-origin.ts';
import { eventText } from '../agreement.ts';
import { failureOf, type WorkFailure, wrong } from '../failure.ts';
import type { Ask } from '../front.ts';
import { difference, octetsOf, piecesOf } from '../octets.ts';
import { fronts } from '../settings.ts';
import { expectOk, type Job, type Work } from './job.ts';

const typical = { fronts, isRepeatable: true };

const eventCount = 30;
const messageCount = 20;
/** Octets of a body that is not waited for. */
const abandonedBytes = 2_000_000;
/** What each message is at most long, in octets. */
const messageBytes = { usual: 2_000, long: 300_000 };

async function events({ front, host, signal }: Job): Promise<void> {
  const answer = expectOk(await front.ask({ host, method: 'GET', path: `/events?count=${eventCount}`, signal }));
  const expected = Array.from({ length: eventCount }, (_, number) => eventText(number)).join('');
  if (answer.body.toString() !== expected) throw wrong(`events ${JSON.stringify(answer.body.toString())}`);
}

async function late({ front, host, random, signal }: Job): Promise<void> {
  const path = `/late?ms=${random.between(0, 500)}`;
  const { body } = expectOk(await front.ask({ host, method: 'GET', path, signal }));
  if (body.toString() !== 'late') throw wrong(JSON.stringify(body.toString()));
}

async function webSocket({ front, host, random, signal }: Job): Promise<void> {
  const socket = await front.openWebSocket(host, '/socket');
  const lost = new Promise<never>((_resolve, reject) => {
    socket.once('error', (error) => reject(failureOf(error, true)));
    socket.once('close', (code) => reject(failureOf(new Error(`closed with ${code}`), true)));
  });
  lost.catch(() => undefined);
  signal.addEventListener('abort', () => socket.terminate());
  for (let sent = 0; sent < messageCount; sent += 1) {
    const longest = random.chance(0.1) ? messageBytes.long : messageBytes.usual;
    const message = octetsOf(random.between(1, 1_000_000), random.between(1, longest));
    const echo = nextMessage(socket);
    echo.catch(() => undefined);
    socket.send(message, () => undefined);
    const text = difference(await Promise.race([echo, lost]), message);
    if (text !== undefined) throw wrong(text);
  }
  const closed = once(socket, 'close');
  socket.close(1000);
  const [code] = (await closed) as [number];
  if (code !== 1000) throw failureOf(new Error(`closed with ${code}`), true);
}

/** Leaves before the head of the answer, in the middle of it, or in the middle of an upload. */
async function abandon({ front, host, random, signal }: Job): Promise<void> {
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  signal.addEventListener('abort', leave);
  const common = { host, signal: leaving.signal };
  const phases: readonly [Ask, Ask, Ask] = [
    { ...common, method: 'GET', path: '/hold' },
    {
      ...common,
      method: 'GET',
      path: `/octets?bytes=${abandonedBytes}&seed=5`,
      onData: leaveAfter(random.between(1, 1_000_000), leave),
    },
    { ...common, method: 'POST', path: '/echo', body: leavingUpload(random.between(1, 1_000_000), leave) },
  ];
  const ask = random.pick(phases);
  if (ask.path === '/hold') void sleep(random.between(0, 300)).then(leave);
  const failure = await front
    .ask(ask)
    .then(expectOk)
    .then(
      () => undefined,
      (error: WorkFailure) => error,
    );
  if (failure !== undefined && (!leaving.signal.aborted || failure.failure.kind === 'answered')) throw failure;
}

/** Counts what comes, and leaves when it is enough. */
function leaveAfter(bytes: number, leave: () => void): (piece: Buffer) => undefined {
  let received = 0;
  return (piece) => {
    received += piece.length;
    if (bytes <= received) leave();
    return undefined;
  };
}

/** A body that is left after so many octets. */
function* leavingUpload(bytes: number, leave: () => void): Generator<Buffer> {
  yield* piecesOf(octetsOf(5, bytes), () => 20_000);
  leave();
}

/** Kinds of it. */
export const streamWork: readonly Work[] = [
  { ...typical, name: 'events', weight: 8, run: events },
  { ...typical, name: 'late answer', weight: 8, run: late },
  { ...typical, name: 'WebSocket', weight: 10, run: webSocket },
  { ...typical, name: 'given up', weight: 8, isRepeatable: false, run: abandon },
];
