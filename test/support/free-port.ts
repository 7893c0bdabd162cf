/** A port that nothing listens on, for programs that cannot pick one by themselves, and for what comes back on its port. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that systems hand out by themselves (32768 and up on Linux, 49152 and up elsewhere): one of those may
 * be given to anybody before it is used here.
 */
const range = { first: 20_000, size: 12_000 };
/** Processes that run side by side begin at different places. */
let offset = (process.pid * 97) % range.size;

/** Returns a port that was free just now on 127.0.0.1; each call another one. */
export async function freePort(): Promise<number> {
  for (;;) {
    offset = (offset + 1) % range.size;
    const port = range.first + offset;
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
