/**
 * A listener that can be reached by nobody any more: its queue of connections to accept is full, so the system drops
 * further attempts, as a firewall would.
 */
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { eventually } from './eventually.ts';

/** Connections that the queue holds: one more than the backlog. */
const held = 2;
/** Attempts that are made, so that the queue is full. */
const fillers = held + 4;

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
  // On loopback an attempt succeeds at once or not at all, so all that do are told of in one turn.
  await eventually('the queue is full', () => connected >= held);
  if (connected > held) throw new Error(`the system accepted ${connected} connections, the backlog holds ${held}`);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await worker.terminate();
    },
  };
}
