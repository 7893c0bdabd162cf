/**
 * A TCP forwarder that stands between two ends of a test and can take the network away from them: cut what is open,
 * stall it without closing, refuse what is new.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A forwarder on a free loopback port. Disposing it cuts everything. */
export interface CuttableProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open through it now. */
  readonly open: number;
  /** Connections accepted since it started. */
  readonly accepted: number;
  /** Octets passed on since it started, both directions. */
  readonly bytes: number;
  /** Breaks every open connection with an RST to both ends, as a crashed router would. */
  cut(): void;
  /** From now on nothing is read or passed on, and new connections get no octet; nobody is told. */
  stall(): void;
  /** Ends a {@link stall}: what waited passes on. */
  resume(): void;
  /** From now on new connections are reset as soon as they are accepted. */
  refuse(): void;
  /** Ends a {@link refuse}. */
  accept(): void;
}

/** Starts a forwarder to a loopback port. */
export async function startCuttableProxy(targetPort: number): Promise<CuttableProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isStalled = false;
  let isRefusing = false;
  let accepted = 0;
  let bytes = 0;

  const forward = (from: Socket, to: Socket): void => {
    from.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => {
      if (!isStalled) from.resume();
    });
    from.on('end', () => to.end());
    from.on('error', () => to.resetAndDestroy());
    from.on('close', () => to.destroy());
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (inner) => {
    if (isRefusing) {
      inner.resetAndDestroy();
      return;
    }
    accepted += 1;
    const outer = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const pair = [inner, outer] as const;
    pairs.add(pair);
    inner.once('close', () => pairs.delete(pair));
    forward(inner, outer);
    forward(outer, inner);
    if (isStalled) for (const socket of pair) socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const cut = (): void => {
    for (const pair of [...pairs]) for (const socket of pair) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get open() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    get bytes() {
      return bytes;
    },
    cut,
    stall: () => {
      isStalled = true;
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    resume: () => {
      isStalled = false;
      for (const pair of pairs) for (const socket of pair) socket.resume();
    },
    refuse: () => {
      isRefusing = true;
    },
    accept: () => {
      isRefusing = false;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
