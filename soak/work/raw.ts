/** Work that only a bare socket can do: several requests at once, and a body that waits to be asked for. */

import { requestText } from '../../test/support/raw-client.ts';
import { connectPeer, type RawHead, type RawPeer, statusOf, valuesOf } from '../../test/support/raw-http.ts';
import { answered, failureOf, wrong } from '../failure.ts';
import { difference, octetsOf } from '../octets.ts';
import { anySize, type Job, type Work } from './job.ts';

const typical = { fronts: ['http'] } as const;

/** Requests in one write. */
const pipelined = 5;

async function pipeline(job: Job): Promise<void> {
  const { host, random } = job;
  await using peer = await connected(job);
  const wanted = Array.from({ length: pipelined }, () => {
    const [seed, bytes] = [random.between(1, 1_000_000), random.between(0, 20_000)];
    return { octets: octetsOf(seed, bytes), text: requestText('GET', `/octets?bytes=${bytes}&seed=${seed}`, host) };
  });
  peer.write(wanted.map(({ text }) => text).join(''));
  for (const { octets } of wanted) compare(await readOk(peer, await readHead(peer)), octets);
}

async function askedFor(job: Job): Promise<void> {
  const { host, random } = job;
  await using peer = await connected(job);
  const octets = octetsOf(random.between(1, 1_000_000), anySize(random) + 1);
  peer.write(requestText('POST', '/echo', host, [`Content-Length: ${octets.length}`, 'Expect: 100-continue']));
  const interim = await readHead(peer);
  if (statusOf(interim) === 100) peer.write(octets);
  const head = statusOf(interim) === 100 ? await readHead(peer) : interim;
  const body = await readOk(peer, head);
  if (head === interim) throw wrong('answered before the body was sent');
  compare(body, octets);
}

async function connected({ front, signal }: Job): Promise<RawPeer> {
  try {
    const peer = await connectPeer(front.rawPort ?? 0);
    signal.addEventListener('abort', () => peer.socket.destroy());
    return peer;
  } catch (error) {
    throw failureOf(error);
  }
}

async function readHead(peer: RawPeer): Promise<RawHead> {
  try {
    const head = await peer.readHead();
    if (head !== undefined) return head;
  } catch (error) {
    throw failureOf(error);
  }
  throw failureOf(peer.error ?? new Error('the connection ended'));
}

/** Returns the body of a 200; throws what another answer says. */
async function readOk(peer: RawPeer, head: RawHead): Promise<Buffer> {
  const message = await peer.readBody(head, 'close').catch((error: unknown) => {
    throw failureOf(error, true);
  });
  if (statusOf(head) === 200) return message.body;
  const proxyStatus = valuesOf(head, 'proxy-status').join(', ');
  throw answered(statusOf(head), { 'proxy-status': proxyStatus }, message.body.toString());
}

function compare(received: Buffer, sent: Buffer): void {
  const text = difference(received, sent);
  if (text !== undefined) throw wrong(text);
}

/** Kinds of it. */
export const rawWork: readonly Work[] = [
  { ...typical, name: 'pipelined GETs', weight: 5, isRepeatable: true, run: pipeline },
  { ...typical, name: 'POST, 100-continue', weight: 5, isRepeatable: false, run: askedFor },
];
