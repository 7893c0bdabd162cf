import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { systemOriginTls } from '../../src/agent/agent-options.ts';
import { OriginDialer } from '../../src/agent/origin-socket.ts';
import { startSocketOrigin } from '../support/origins.ts';

/** Longer than Node gives an address by default. */
const standstillMs = 400;

/** Stands still, as a process does that gets no processor. */
function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, standstillMs);
}

describe('a socket to localhost', () => {
  it('connects though the agent stands still while it does', async () => {
    await using origin = await startSocketOrigin(() => {});
    const target = { kind: 'tcp', host: 'localhost', port: origin.port, tls: false } as const;
    const dialer = new OriginDialer(target, systemOriginTls);
    const first = dialer.dial();
    await once(first, 'connect');
    dialer.connected(first);
    const second = dialer.dial();
    standStill();
    await once(second, 'connect');
    expect(second.remoteAddress).toBe(first.remoteAddress);
    first.destroy();
    second.destroy();
  });
});
