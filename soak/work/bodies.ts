/** Work with bodies: down and up, long and short, with and without a length, compared octet for octet. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '../../test/support/sha256.ts';
import { workNameField } from '../agreement.ts';
import { wrong } from '../failure.ts';
import { difference, octetsOf, piecesOf } from '../octets.ts';
import type { Random } from '../random.ts';
import { fronts } from '../settings.ts';
import { anySize, expectOk, type Job, type Work } from './job.ts';

const typical = { fronts, isRepeatable: true };

/** Octets that a slow reader fetches, and how long it pauses at most after each piece, in milliseconds. */
const slow = { least: 200_000, most: 2_000_000, pauseMs: 30 };
/**
 * Octets at the end that a slow reader reads without a pause, more than it can have been sent and not read: Node's HTTP/2
 * client loses what it has received and not read when the server, here an edge that drains, ends the connection behind it.
 */
const promptBytes = 150_000;

interface Wanted {
  readonly path: string;
  readonly octets: Buffer;
}

function want(random: Random, bytes: number): Wanted {
  const seed = random.between(1, 1_000_000);
  const framing = random.pick(['length', 'chunks']);
  return { path: `/octets?bytes=${bytes}&seed=${seed}&framing=${framing}`, octets: octetsOf(seed, bytes) };
}

async function get({ front, host, random, signal }: Job): Promise<void> {
  const { path, octets } = want(random, anySize(random));
  compare(expectOk(await front.ask({ host, method: 'GET', path, signal })).body, octets);
}

async function getSlowly({ front, host, random, signal }: Job): Promise<void> {
  const { path, octets } = want(random, random.between(slow.least, slow.most));
  let missingBytes = octets.length;
  const onData = (piece: Buffer) => {
    missingBytes -= piece.length;
    const isPause = promptBytes < missingBytes && random.chance(0.3);
    return isPause ? sleep(random.between(0, slow.pauseMs)) : undefined;
  };
  compare(expectOk(await front.ask({ host, method: 'GET', path, signal, onData })).body, octets);
}

async function head({ front, host, random, signal }: Job): Promise<void> {
  const { path, octets } = want(random, anySize(random));
  const { headers, body } = expectOk(await front.ask({ host, method: 'HEAD', path, signal }));
  const length = headers['content-length'];
  if (length !== String(octets.length)) throw wrong(`Content-Length ${length} in place of ${octets.length}`);
  compare(body, Buffer.alloc(0));
}

async function echo(job: Job): Promise<void> {
  const { front, host, signal } = job;
  const { body, octets, headers } = upload(job);
  compare(expectOk(await front.ask({ host, method: 'POST', path: '/echo', headers, body, signal })).body, octets);
}

async function count(job: Job): Promise<void> {
  const { front, host, name, signal } = job;
  const { body, octets, headers } = upload(job);
  const named = { ...headers, [workNameField]: name };
  const answer = expectOk(await front.ask({ host, method: 'POST', path: '/count', headers: named, body, signal }));
  const expected = JSON.stringify({ name, bytes: octets.length, sha256: sha256(octets) });
  if (answer.body.toString() !== expected) throw wrong(`${answer.body.toString()} in place of ${expected}`);
  const cookies = answer.headers['set-cookie']?.join();
  if (cookies !== 'first=1,second=2') throw wrong(`cookies ${cookies}`);
}

/** Returns a body that is sent in pieces of any size, with its length or without. */
function upload({ random }: Job) {
  const octets = octetsOf(random.between(1, 1_000_000), anySize(random));
  const largest = random.pick([octets.length + 1, 30_000]);
  const headers: Record<string, string> = random.chance(0.5) ? { 'content-length': String(octets.length) } : {};
  return { octets, headers, body: piecesOf(octets, () => random.between(1, largest)) };
}

function compare(received: Buffer, sent: Buffer): void {
  const text = difference(received, sent);
  if (text !== undefined) throw wrong(text);
}

/** Kinds of it. */
export const bodyWork: readonly Work[] = [
  { ...typical, name: 'GET', weight: 30, run: get },
  { ...typical, name: 'GET, slow reader', weight: 5, run: getSlowly },
  { ...typical, name: 'HEAD', weight: 5, run: head },
  { ...typical, name: 'POST echo', weight: 12, isRepeatable: false, run: echo },
  { ...typical, name: 'POST once', weight: 15, isRepeatable: false, run: count },
];
