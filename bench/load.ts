/** The load generator of `giraffe bench`, in the few forms that the benchmarks of this folder need. */
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { HttpCaller, openSocket } from '../src/load/http-caller.ts';
import { LoadRecord } from '../src/load/load-record.ts';
import { LoadSession } from '../src/load/load-session.ts';
import { requestTemplate } from '../src/load/request-template.ts';

/** Where to send requests, and under which Host. */
export interface Target {
  readonly port: number;
  readonly host: string;
}

/** What a load run saw. */
export interface LoadResult {
  readonly requests: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const timeoutMs = 60_000;
const ticksPerSecond = 10;

/** Sends GETs on `connections` sockets, one at a time each, for `durationMs`. */
export async function loadGet(
  target: Target,
  path: string,
  connections: number,
  durationMs: number,
): Promise<LoadResult> {
  const request = { method: 'GET', path, authority: target.host, fields: [], bodyBytes: 0, keepAlive: true };
  using session = new LoadSession({
    ...{ address: addressOf(target), request, isWebSocket: false },
    ...{ concurrency: connections, rate: undefined, timeoutMs },
  });
  const record = new LoadRecord();
  await session.run({ durationMs, maxRequests: undefined }, record);
  return {
    requests: record.succeeded,
    failed: record.failed,
    seconds: record.elapsedMs(0) / 1000,
    p50Ms: record.latencies.percentileMs(50) ?? Number.NaN,
    p99Ms: record.latencies.percentileMs(99) ?? Number.NaN,
  };
}

/** Downloads `bytes`; returns MB per second. `bytesPerSecond` makes it a slow reader. */
export async function download(target: Target, bytes: number, bytesPerSecond?: number): Promise<number> {
  if (bytesPerSecond !== undefined) return downloadSlowly(target, bytes, bytesPerSecond);
  return transfer(target, 'GET', `/bytes/${bytes}`, 0, bytes);
}

/** Uploads `bytes`; returns MB per second. */
export async function upload(target: Target, bytes: number): Promise<number> {
  return transfer(target, 'POST', '/upload', bytes, bytes);
}

async function transfer(
  target: Target,
  method: string,
  path: string,
  bodyBytes: number,
  bytes: number,
): Promise<number> {
  const traffic = { receivedBytes: 0, sentBytes: 0 };
  const request = requestTemplate({ method, path, authority: target.host, fields: [], bodyBytes, keepAlive: true });
  const caller = new HttpCaller({ address: addressOf(target), request, keepAlive: true, traffic: () => traffic });
  await caller.open();
  const startedMs = performance.now();
  const failure = await new Promise((resolve) => caller.call((_status, kind) => resolve(kind)));
  caller.close();
  if (failure !== undefined) throw new Error(`${method} failed: ${failure}`);
  return bytes / 1e6 / ((performance.now() - startedMs) / 1000);
}

/** Reads no more than it may, so that the answer has to wait. */
async function downloadSlowly(target: Target, bytes: number, bytesPerSecond: number): Promise<number> {
  const socket = openSocket(addressOf(target));
  const startedMs = performance.now();
  let allowed = 0;
  const timer = setInterval(() => {
    allowed += bytesPerSecond / ticksPerSecond;
    if (0 < allowed) socket.resume();
  }, 1000 / ticksPerSecond);
  let left = bytes;
  socket.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    allowed -= chunk.length;
    if (allowed <= 0) socket.pause();
    if (left <= 0) socket.destroy();
  });
  socket.write(`GET /bytes/${bytes} HTTP/1.1\r\nHost: ${target.host}\r\n\r\n`);
  await once(socket, 'close');
  clearInterval(timer);
  return bytes / 1e6 / ((performance.now() - startedMs) / 1000);
}

function addressOf({ port }: Target) {
  return { address: '127.0.0.1', port, tls: undefined };
}
