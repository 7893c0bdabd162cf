/** A lean load generator over raw keep-alive sockets: its own cost must not be what is measured. */
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';

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

/** Sends GETs on `connections` sockets, one at a time each, for `durationMs`. Bodies must have a Content-Length. */
export async function loadGet(
  target: Target,
  path: string,
  connections: number,
  durationMs: number,
): Promise<LoadResult> {
  const latencies: number[] = [];
  let failed = 0;
  const startedMs = performance.now();
  const deadlineMs = startedMs + durationMs;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = await open(target.port);
      while (performance.now() < deadlineMs) {
        const sentMs = performance.now();
        const status = await get(socket, target.host, path);
        if (status === 200) latencies.push(performance.now() - sentMs);
        else failed += 1;
      }
      socket.destroy();
    }),
  );
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return {
    requests: latencies.length,
    failed,
    seconds: (performance.now() - startedMs) / 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

/** Downloads `bytes`; returns MB per second. `bytesPerSecond` makes it a slow reader. */
export async function download(target: Target, bytes: number, bytesPerSecond?: number): Promise<number> {
  const socket = await open(target.port);
  const startedMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  if (bytesPerSecond !== undefined) {
    let allowed = 0;
    timer = setInterval(() => {
      allowed += bytesPerSecond / 10;
      socket.resume();
    }, 100);
    socket.on('data', (chunk: Buffer) => {
      allowed -= chunk.length;
      if (allowed <= 0) socket.pause();
    });
  }
  const status = await get(socket, target.host, `/bytes/${bytes}`);
  clearInterval(timer);
  socket.destroy();
  if (status !== 200) throw new Error(`download failed with status ${status}`);
  return bytes / 1e6 / ((performance.now() - startedMs) / 1000);
}

/** Uploads `bytes`; returns MB per second. */
export async function upload(target: Target, bytes: number): Promise<number> {
  const socket = await open(target.port);
  const startedMs = performance.now();
  const answered = response(socket);
  socket.write(`POST /upload HTTP/1.1\r\nHost: ${target.host}\r\nContent-Length: ${bytes}\r\n\r\n`);
  const piece = Buffer.alloc(64 * 1024, 'u');
  for (let left = bytes; left > 0; left -= piece.length) {
    if (!socket.write(piece.subarray(0, Math.min(left, piece.length))))
      await new Promise((resolve) => socket.once('drain', resolve));
  }
  const status = await answered;
  socket.destroy();
  if (status !== 200) throw new Error(`upload failed with status ${status}`);
  return bytes / 1e6 / ((performance.now() - startedMs) / 1000);
}

async function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.on('error', reject);
  });
}

async function get(socket: Socket, host: string, path: string): Promise<number> {
  const answered = response(socket);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`);
  return answered;
}

/** Reads one response with Content-Length or chunked framing; returns its status, 0 for a broken one. */
function response(socket: Socket): Promise<number> {
  return new Promise((resolve) => {
    let head = '';
    let status = 0;
    let left = -1;
    let isChunked = false;
    const done = (result: number): void => {
      socket.off('data', onData);
      socket.off('close', onClose);
      resolve(result);
    };
    const onClose = (): void => done(0);
    const onData = (chunk: Buffer): void => {
      let body = chunk;
      if (status === 0) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return;
        status = Number(head.slice(9, 12));
        isChunked = /\r\ntransfer-encoding: chunked/i.test(head.slice(0, end));
        left = Number(/\r\ncontent-length: (\d+)/i.exec(head.slice(0, end))?.[1] ?? -1);
        body = Buffer.from(head.slice(end + 4), 'latin1');
      }
      if (isChunked) {
        if (body.subarray(-5).equals(lastChunk)) done(status);
        return;
      }
      left -= body.length;
      if (left <= 0) done(status);
    };
    socket.on('data', onData);
    socket.on('close', onClose);
  });
}

const lastChunk = Buffer.from('0\r\n\r\n');
