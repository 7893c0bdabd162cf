/** A port that nothing listens on, for programs that cannot pick one by themselves. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** Returns a port that was free just now on 127.0.0.1. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
