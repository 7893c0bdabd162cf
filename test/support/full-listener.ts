/**
 * A listener that can be reached by nobody any more: its queue of connections to accept is full, so the system drops
 * further attempts, as a firewall would.
 */
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** Connections that fill the queue, with some to spare: a backlog of 1 holds two. */
const fillers = 6;

// A thread that listens and then stands still accepts nothing, while the system goes on queueing.
const source = `
  const { createServer } = require('node:net');
  const { parentPort } = require('node:worker_threads');
  const server = createServer(() => {});
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** A loopback port on which connection attempts get no answer. */
export interface FullListener extends AsyncDisposable {
  readonly port: number;
}

/** Starts one. */
export async function startFullListener(): Promise<FullListener> {
  const worker = new Worker(source, { eval: true });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const sockets: Socket[] = [];
  let connected = 0;
  for (let index = 0; index < fillers; index += 1) {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.on('connect', () => {
      connected += 1;
    });
    sockets.push(socket);
  }
  // On loopback an attempt succeeds at once or not at all; the wait only lets the events arrive.
  await new Promise((resolve) => setTimeout(resolve, 200));
  if (connected === fillers) throw new Error('the system accepted more connections than the backlog holds');
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await worker.terminate();
    },
  };
}
