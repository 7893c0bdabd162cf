import dns from 'node:dns';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemOriginTls } from '../../src/agent/agent-options.ts';
import { OriginDialer } from '../../src/agent/origin-socket.ts';
import { startSocketOrigin } from '../support/origins.ts';

/** Longer than Node gives an address by default. */
const standstillMs = 400;

/** Stands still, as a process does that gets no processor. */
function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, standstillMs);
}

/** Connects twice, the second time while the process stands still; returns the two addresses. */
async function connectTwice(host: string, port: number): Promise<(string | undefined)[]> {
  const dialer = new OriginDialer({ kind: 'tcp', host, port, tls: false }, systemOriginTls);
  const first = dialer.dial();
  await once(first, 'connect');
  dialer.connected(first);
  const second = dialer.dial();
  standStill();
  await once(second, 'connect');
  const addresses = [first.remoteAddress, second.remoteAddress];
  first.destroy();
  second.destroy();
  return addresses;
}

describe('a socket to a name with several addresses', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  it('connects to localhost though the agent stands still while it does', async () => {
    await using origin = await startSocketOrigin(() => {});
    expect(await connectTwice('localhost', origin.port)).toEqual(['127.0.0.1', '127.0.0.1']);
  });

  it('connects to another name though the agent stands still, and tries the address that answered first', async () => {
    await using origin = await startSocketOrigin(() => {});
    const addresses = ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 }));
    const tell = (_host: string, _options: unknown, callback: (error: null, found: unknown) => void): void =>
      callback(null, addresses);
    vi.spyOn(dns, 'lookup').mockImplementation(tell as typeof dns.lookup);
    syncBuiltinESMExports();
    expect(await connectTwice('both.test', origin.port)).toEqual(['127.0.0.1', '127.0.0.1']);
    expect(dns.lookup).toHaveBeenCalledTimes(2);
  });
});
