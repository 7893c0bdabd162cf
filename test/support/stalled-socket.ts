/** A socket to a peer that reads nothing, in which octets wait already. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** More than the kernel takes for a connection, in octets. */
const stuffing = Buffer.alloc(64 * 1024 * 1024);

/** Returns a connected socket; its peer reads nothing. `ends` are ended with the lifetimes. */
export async function unreadSocket(ends: { defer(end: () => unknown): void }): Promise<Socket> {
  const server = createServer().listen(0, '127.0.0.1');
  ends.defer(() => server.close());
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
  ends.defer(() => peer.destroy());
  const [socket] = await accepted;
  ends.defer(() => socket.destroy());
  return socket;
}

/** As {@link unreadSocket}, with octets that wait. */
export async function stalledSocket(ends: { defer(end: () => unknown): void }): Promise<Socket> {
  const socket = await unreadSocket(ends);
  socket.write(stuffing);
  if (socket.writableLength === 0) throw new Error('the kernel takes more than that');
  return socket;
}
