import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { SocketReader } from '../../src/agent/socket-reader.ts';

/** Octets that tell where they belong: of which connection, and at which place. */
function pattern(connection: number, bytes: number): Buffer {
  const octets = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 1) octets[at] = (at * 31 + (at >> 8) * 7 + connection * 13) & 0xff;
  return octets;
}

/** Reads all that comes on a connection. */
async function readAll(port: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const reader = new SocketReader((octets) => pieces.push(Buffer.from(octets)));
  const socket = connect({ port, host: 'localhost', allowHalfOpen: true, onread: reader.onread });
  await once(socket, 'end');
  socket.end();
  return Buffer.concat(pieces);
}

describe('SocketReader', () => {
  it('gives each connection its own octets', async () => {
    const sizes = [1, 100, 4096, 32 * 1024 - 1, 32 * 1024, 64 * 1024, 64 * 1024 + 1, 200_000, 3_000_000];
    const writers: Socket[] = [];
    const server = createServer((socket) => writers.push(socket)).listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const readers: Promise<Buffer>[] = [];
    for (const [index] of sizes.entries()) {
      readers.push(readAll(port));
      await once(server, 'connection');
      // Small pieces of all connections in turn, then everything at once.
      writers[index]?.write(pattern(index, 1));
    }
    for (const [index, bytes] of sizes.entries()) writers[index]?.write(pattern(index, bytes));
    for (const writer of writers) writer.end();
    const read = await Promise.all(readers);
    server.close();
    for (const [index, bytes] of sizes.entries()) {
      const expected = Buffer.concat([pattern(index, 1), pattern(index, bytes)]);
      expect(read[index]?.equals(expected), `${bytes} octets`).toBe(true);
    }
  });

  it('hands what comes next to a new sink', async () => {
    const server = createServer((socket) => {
      socket.write('first');
      socket.once('data', () => socket.end('second'));
    }).listen(0);
    await once(server, 'listening');
    const heard: string[] = [];
    const reader = new SocketReader((octets) => {
      heard.push(`old ${octets}`);
      reader.sink = (more) => heard.push(`new ${more}`);
      socket.write('go on');
    });
    const socket = connect({ port: (server.address() as AddressInfo).port, onread: reader.onread });
    await once(socket, 'end');
    socket.destroy();
    server.close();
    expect(heard).toEqual(['old first', 'new second']);
  });
});
