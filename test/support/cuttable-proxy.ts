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
  /** Connections reset by {@link refuse} since it started. */
  readonly refused: number;
  /** Octets passed on since it started, both directions. */
  readonly bytes: number;
  /** Breaks every open connection with an RST to both ends, as a crashed router would. */
  cut(): void;
  /** Breaks every open connection for whoever opened it; the other end is not told, as by a NAT that forgets. */
  forget(): void;
  /** From now on nothing is read or passed on, and new connections get no octet; nobody is told. */
  stall(): void;
  /** Ends a {@link stall}: what waited passes on. */
  resume(): void;
  /** Ends a {@link stall}, and what was open then is silent for ever: what waited is lost, and nobody is told. */
  lose(): void;
  /** From now on new connections are reset as soon as they are accepted. */
  refuse(): void;
  /** Ends a {@link refuse}. */
  accept(): void;
  /** From now on each direction of a connection passes on about this many octets per second. */
  pace(bytesPerSecond: number): void;
}

/** Where a forwarder listens, and where it leads. */
export interface CuttableProxyOptions {
  /** Default 127.0.0.1, port 0. */
  readonly host?: string;
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly targetHost?: string;
}

/** Starts a forwarder to a loopback port. */
export async function startCuttableProxy(
  targetPort: number,
  { host = '127.0.0.1', port = 0, targetHost = '127.0.0.1' }: CuttableProxyOptions = {},
): Promise<CuttableProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  /** Outer ends that nobody is left to talk to. */
  const forgotten = new Set<Socket>();
  const silent = new WeakSet<Socket>();
  let isStalled = false;
  let isRefusing = false;
  let bytesPerSecond = Number.POSITIVE_INFINITY;
  let accepted = 0;
  let refused = 0;
  let bytes = 0;

  const forward = (from: Socket, to: Socket): void => {
    from.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      const isFull = !to.write(chunk);
      const waitMs = (chunk.length / bytesPerSecond) * 1000;
      if (isFull || waitMs > 0) from.pause();
      if (!isFull && waitMs > 0) setTimeout(resume, waitMs);
    });
    const resume = (): void => {
      if (!isStalled && !silent.has(from)) from.resume();
    };
    to.on('drain', resume);
    from.on('end', () => to.end());
    from.on('error', () => {
      if (!forgotten.has(to)) to.resetAndDestroy();
    });
    from.on('close', () => {
      if (!forgotten.has(to)) to.destroy();
    });
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (inner) => {
    if (isRefusing) {
      refused += 1;
      inner.resetAndDestroy();
      return;
    }
    accepted += 1;
    const outer = connect({ port: targetPort, host: targetHost, allowHalfOpen: true, noDelay: true });
    const pair = [inner, outer] as const;
    pairs.add(pair);
    inner.once('close', () => pairs.delete(pair));
    forward(inner, outer);
    forward(outer, inner);
    if (isStalled) for (const socket of pair) socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));

  const cut = (): void => {
    for (const pair of [...pairs]) for (const socket of pair) socket.resetAndDestroy();
    for (const socket of forgotten) socket.resetAndDestroy();
  };
  const forget = (): void => {
    for (const [inner, outer] of [...pairs]) {
      forgotten.add(outer);
      outer.once('close', () => forgotten.delete(outer));
      outer.resume();
      inner.resetAndDestroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    get open() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    get refused() {
      return refused;
    },
    get bytes() {
      return bytes;
    },
    cut,
    forget,
    stall: () => {
      isStalled = true;
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    resume: () => {
      isStalled = false;
      for (const socket of [...pairs].flat()) if (!silent.has(socket)) socket.resume();
    },
    lose: () => {
      isStalled = false;
      for (const pair of pairs) for (const socket of pair) silent.add(socket);
    },
    refuse: () => {
      isRefusing = true;
    },
    accept: () => {
      isRefusing = false;
    },
    pace: (rate) => {
      bytesPerSecond = rate;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
