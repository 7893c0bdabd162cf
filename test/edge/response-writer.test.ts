import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { ResponseWriter } from '../../src/edge/response-writer.ts';
import { Lifetimes } from '../../src/host/lifecycle/lifetimes.ts';

it('S5 what one turn writes in tiny pieces waits for its end only up to a count', async () => {
  await using all = new Lifetimes();
  const server = createServer().listen(0, '127.0.0.1');
  all.defer(async () => void server.close());
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  all.defer(async () => void client.destroy());
  const [socket] = await accepted;
  all.defer(async () => void socket.destroy());
  const writer = new ResponseWriter(socket);
  const piece = Buffer.from('x');
  writer.raw();
  for (let count = 0; count < 1000; count += 1) writer.data(piece);
  expect(socket.bytesWritten).toBe(0);
  for (let count = 0; count < 1000; count += 1) writer.data(piece);
  expect(socket.bytesWritten).toBeGreaterThan(1000);
});
