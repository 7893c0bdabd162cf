import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CreditPool,
  initialWindowBytes,
  maxWindowBytes,
  minWindowBytes,
  ReceiveWindow,
} from '../../src/protocol/receive-window.ts';

const mebibyte = 1024 * 1024;

describe('CreditPool', () => {
  it('gives what is there and never more', () => {
    const pool = new CreditPool(100);
    expect([pool.take(60), pool.take(60), pool.take(60), pool.take(-5)]).toEqual([60, 40, 0, 0]);
    pool.give(30);
    expect(pool.freeBytes).toBe(30);
  });

  it('holds 64 MiB unless told otherwise', () => {
    expect(new CreditPool().freeBytes).toBe(64 * mebibyte);
  });
});

describe('ReceiveWindow.sizeFor()', () => {
  it('chooses 1 MiB from a full pool and charges it beyond the minimum', () => {
    const pool = new CreditPool();
    expect(ReceiveWindow.sizeFor(pool)).toBe(initialWindowBytes);
    expect(pool.freeBytes).toBe(64 * mebibyte - (initialWindowBytes - minWindowBytes));
  });

  it('chooses less as the pool runs low, and the minimum from an empty one', () => {
    const pool = new CreditPool(4 * mebibyte);
    const sizes = Array.from({ length: 200 }, () => ReceiveWindow.sizeFor(pool));
    expect(sizes[0]).toBe(mebibyte / 4);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(sizes.at(-1)).toBeLessThan(minWindowBytes + 16);
    expect(ReceiveWindow.sizeFor(new CreditPool(0))).toBe(minWindowBytes);
    expect(sizes.reduce((sum, size) => sum + size - minWindowBytes, 0)).toBe(4 * mebibyte - pool.freeBytes);
    expect(pool.freeBytes).toBeGreaterThanOrEqual(0);
  });
});

describe('ReceiveWindow', () => {
  it('accepts exactly its credit and refuses one octet more', () => {
    const window = new ReceiveWindow(new CreditPool(), minWindowBytes, 0);
    window.received(minWindowBytes, 0);
    expect(window.unreadBytes).toBe(minWindowBytes);
    expect(() => window.received(1, 0)).toThrow(expect.objectContaining({ code: 'GIR_ERR_FLOW_CONTROL' }));
  });

  it('announces credit when an eighth of the window is missing, not before', () => {
    const window = new ReceiveWindow(new CreditPool(), minWindowBytes, 0);
    const eighth = minWindowBytes / 8;
    window.received(eighth, 0);
    expect(window.consumed(eighth - 1, 0, 1)).toBe(0);
    expect(window.consumed(1, 0, 1)).toBe(eighth);
  });

  it('raises a stream from the minimum to its size, what is on its way included', () => {
    const pool = new CreditPool();
    const window = new ReceiveWindow(pool, minWindowBytes, 0);
    window.received(1000, 0);
    const sizeBytes = ReceiveWindow.sizeFor(pool);
    expect(window.initialGrant(sizeBytes)).toBe(sizeBytes - minWindowBytes);
    expect(window.limitBytes).toBe(sizeBytes);
    window.received(sizeBytes - 1000, 0);
    expect(() => window.received(1, 0)).toThrow(expect.objectContaining({ code: 'GIR_ERR_FLOW_CONTROL' }));
    window.close();
    expect(pool.freeBytes).toBe(64 * mebibyte);
  });

  it('gives back a size that is granted after it was closed, and announces nothing', () => {
    const pool = new CreditPool();
    const window = new ReceiveWindow(pool, minWindowBytes, 0);
    window.close();
    expect(window.initialGrant(ReceiveWindow.sizeFor(pool))).toBe(0);
    expect(pool.freeBytes).toBe(64 * mebibyte);
  });

  it('returns what it holds once, however often it is closed', () => {
    const pool = new CreditPool();
    const window = new ReceiveWindow(pool, ReceiveWindow.sizeFor(pool), 0);
    window.close();
    window.close();
    expect(pool.freeBytes).toBe(64 * mebibyte);
  });

  it('announces nothing after it was closed', () => {
    const window = new ReceiveWindow(new CreditPool(), minWindowBytes, 0);
    window.received(minWindowBytes, 0);
    window.close();
    expect(window.consumed(minWindowBytes, 0, 1)).toBe(0);
    expect(window.unreadBytes).toBe(0);
  });

  it('grants no more than its size when more is reported as passed on than came', () => {
    const window = new ReceiveWindow(new CreditPool(), minWindowBytes, 0);
    window.received(minWindowBytes, 0);
    expect(window.consumed(10 * minWindowBytes, 0, 1)).toBe(minWindowBytes);
    expect(window.consumed(minWindowBytes, 0, 1)).toBe(0);
    expect(window.unreadBytes).toBe(0);
  });

  it('grows to 16 MiB on a path of 80 ms in full use', () => {
    const path = new SimulatedPath({ roundTripMs: 80, bytesPerMs: mebibyte });
    path.run(3000);
    expect(path.window.limitBytes).toBe(maxWindowBytes);
  });

  it('reaches 8 times the pace of its first window on a path of 80 ms', () => {
    const path = new SimulatedPath({ roundTripMs: 80, bytesPerMs: mebibyte });
    path.run(3000);
    const before = path.readBytes;
    path.run(1000);
    expect(path.readBytes - before).toBeGreaterThan((8 * initialWindowBytes * 1000) / 80);
  });

  it('does not grow where the first window is enough: 80 ms at 2 MB/s', () => {
    const path = new SimulatedPath({ roundTripMs: 80, bytesPerMs: 2000 });
    path.run(3000);
    expect(path.window.limitBytes).toBe(initialWindowBytes);
  });

  it('does not grow on loopback, however fast it is', () => {
    const path = new SimulatedPath({ roundTripMs: 0.2, bytesPerMs: 500_000 });
    path.run(500);
    expect(path.window.limitBytes).toBe(initialWindowBytes);
  });

  it('does not grow for a reader that does not keep up, however long the path', () => {
    const path = new SimulatedPath({ roundTripMs: 80, bytesPerMs: mebibyte, readBytesPerMs: 100 });
    path.run(3000);
    expect(path.window.limitBytes).toBeLessThanOrEqual(initialWindowBytes);
  });

  it('grows no further than the pool reaches', () => {
    const pool = new CreditPool(4 * mebibyte);
    const path = new SimulatedPath({ roundTripMs: 80, bytesPerMs: mebibyte, pool });
    path.run(20_000);
    expect(path.window.limitBytes).toBe(4 * mebibyte + minWindowBytes);
    expect(pool.freeBytes).toBe(0);
  });

  it('shrinks to the minimum for a reader that stays slow, and gives the rest to the others', () => {
    const pool = new CreditPool();
    const path = new SimulatedPath({ roundTripMs: 80, bytesPerMs: mebibyte, readBytesPerMs: 100, pool });
    path.run(30_000);
    expect(path.window.limitBytes).toBe(minWindowBytes);
    expect(pool.freeBytes).toBe(64 * mebibyte);
  });

  it('still passes on everything that a slow reader takes', () => {
    const path = new SimulatedPath({ roundTripMs: 80, bytesPerMs: mebibyte, readBytesPerMs: 100 });
    path.run(30_000);
    expect(path.readBytes).toBeGreaterThan(100 * 30_000 * 0.99);
  });

  it('does not shrink for a reader that pauses for less than half a second', () => {
    const pool = new CreditPool();
    const window = new ReceiveWindow(pool, ReceiveWindow.sizeFor(pool), 0);
    window.received(initialWindowBytes, 1000);
    window.consumed(1, 1499, 1);
    expect(window.limitBytes).toBe(initialWindowBytes);
    window.consumed(1, 1500, 1);
    expect(window.limitBytes).toBe(initialWindowBytes / 2);
  });

  it('shrinks for a reader that stays behind although it reads now and then', () => {
    const pool = new CreditPool();
    const window = new ReceiveWindow(pool, ReceiveWindow.sizeFor(pool), 0);
    window.received(initialWindowBytes, 0);
    for (let nowMs = 100; nowMs <= 500; nowMs += 100)
      window.received(window.consumed(initialWindowBytes / 8, nowMs, 1), nowMs);
    expect(window.limitBytes).toBe(initialWindowBytes / 2);
  });

  it('does not shrink for a reader that fell behind once and has caught up', () => {
    const pool = new CreditPool();
    const window = new ReceiveWindow(pool, ReceiveWindow.sizeFor(pool), 0);
    window.received(initialWindowBytes, 0);
    window.consumed(initialWindowBytes, 400, 1);
    window.received(1000, 900);
    window.consumed(1000, 900, 1);
    expect(window.limitBytes).toBe(initialWindowBytes);
  });

  it('gives nothing back to the pool for octets that are still unread (S5: slow readers)', () => {
    const pool = new CreditPool(8 * mebibyte);
    const window = new ReceiveWindow(pool, ReceiveWindow.sizeFor(pool), 0);
    const sizeBytes = window.limitBytes;
    window.received(sizeBytes, 0);
    for (let nowMs = 600; nowMs < 10_000; nowMs += 600) window.consumed(1, nowMs, 1);
    expect(window.limitBytes).toBe(minWindowBytes);
    expect(8 * mebibyte - pool.freeBytes).toBe(window.unreadBytes - minWindowBytes);
    window.consumed(window.unreadBytes - 100, 20_000, 1);
    expect(pool.freeBytes).toBe(8 * mebibyte);
  });

  it('keeps what all windows promise within the pool, and gives it all back (model)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 100_000, mebibyte, 64 * mebibyte),
        fc.constantFrom(0.1, 5, 80),
        fc.array(operation, { maxLength: 120, size: 'max' }),
        (poolBytes, roundTripMs, operations) => {
          const model = new WindowsModel(poolBytes, roundTripMs);
          for (const each of operations) model.apply(each);
          model.finish();
          expect(model.violations).toEqual([]);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

type Operation =
  | { do: 'open'; of: number }
  | { do: 'accept'; of: number }
  | { do: 'grant'; of: number }
  | { do: 'close'; of: number }
  | { do: 'receive'; of: number; share: number }
  | { do: 'consume'; of: number; share: number }
  | { do: 'wait'; ms: number };

const of = fc.nat(4);
const share = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open' as const), of }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('accept' as const), of }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('grant' as const), of }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), of }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('receive' as const), of, share }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('consume' as const), of, share }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0.1, 10, 80, 600) }) },
);

/** Some windows of one session, each with what its sender believes. */
class WindowsModel {
  readonly violations: string[] = [];
  readonly #pool: CreditPool;
  readonly #poolBytes: number;
  readonly #roundTripMs: number;
  readonly #windows = new Map<number, { window: ReceiveWindow; credit: number; unread: number; isGranted: boolean }>();
  #nowMs = 0;
  #steps = 0;

  constructor(poolBytes: number, roundTripMs: number) {
    this.#pool = new CreditPool(poolBytes);
    this.#poolBytes = poolBytes;
    this.#roundTripMs = roundTripMs;
  }

  apply(operation: Operation): void {
    this.#steps += 1;
    if (operation.do === 'wait') this.#nowMs += operation.ms;
    else if (operation.do === 'open') this.#add(operation.of, ReceiveWindow.sizeFor(this.#pool), true);
    else if (operation.do === 'accept') this.#add(operation.of, minWindowBytes, false);
    else if (operation.do === 'grant') this.#grant(operation.of);
    else if (operation.do === 'close') this.#close(operation.of);
    else if (operation.do === 'receive') this.#receive(operation.of, operation.share);
    else this.#consume(operation.of, operation.share);
    this.#checkSums();
  }

  finish(): void {
    for (const of of [...this.#windows.keys()]) {
      this.#consume(of, 1);
      this.#checkSums();
      const credit = this.#windows.get(of)?.credit ?? 0;
      this.#expect(credit > 0, `window ${of} has read everything and leaves its sender without credit`);
      this.#close(of);
    }
    this.#expect(this.#pool.freeBytes === this.#poolBytes, `${this.#pool.freeBytes} of ${this.#poolBytes} came back`);
  }

  #add(of: number, grantedBytes: number, isGranted: boolean): void {
    this.#close(of);
    const window = new ReceiveWindow(this.#pool, grantedBytes, this.#nowMs);
    this.#windows.set(of, { window, credit: grantedBytes, unread: 0, isGranted });
  }

  #grant(of: number): void {
    const state = this.#windows.get(of);
    if (state === undefined || state.isGranted) return;
    state.isGranted = true;
    state.credit += state.window.initialGrant(ReceiveWindow.sizeFor(this.#pool));
  }

  #close(of: number): void {
    this.#windows.get(of)?.window.close();
    this.#windows.delete(of);
  }

  #receive(of: number, share: number): void {
    const state = this.#windows.get(of);
    if (state === undefined) return;
    const bytes = Math.floor(state.credit * share);
    state.window.received(bytes, this.#nowMs);
    state.credit -= bytes;
    state.unread += bytes;
  }

  #consume(of: number, share: number): void {
    const state = this.#windows.get(of);
    if (state === undefined) return;
    const bytes = Math.floor(state.unread * share);
    state.unread -= bytes;
    const increment = state.window.consumed(bytes, this.#nowMs, this.#roundTripMs);
    this.#expect(Number.isInteger(increment) && increment >= 0, `an increment of ${increment}`);
    state.credit += increment;
  }

  #checkSums(): void {
    let promised = 0;
    let lent = 0;
    for (const [of, { window, credit, unread }] of this.#windows) {
      promised += credit + unread;
      lent += Math.max(0, credit + unread - minWindowBytes);
      this.#expect(window.unreadBytes === unread, `window ${of} counts ${window.unreadBytes} unread, not ${unread}`);
      this.#expect(window.limitBytes >= minWindowBytes, `window ${of} is ${window.limitBytes}`);
      this.#expect(window.limitBytes <= maxWindowBytes, `window ${of} is ${window.limitBytes}`);
    }
    const bound = this.#poolBytes + minWindowBytes * this.#windows.size;
    this.#expect(promised <= bound, `${promised} promised, at most ${bound} allowed`);
    const taken = this.#poolBytes - this.#pool.freeBytes;
    this.#expect(lent <= taken, `${lent} promised beyond the minimum, ${taken} taken from the pool`);
    this.#expect(this.#pool.freeBytes >= 0, `the pool has ${this.#pool.freeBytes} left`);
    this.#expect(this.#pool.freeBytes <= this.#poolBytes, `the pool has ${this.#pool.freeBytes} left`);
  }

  #expect(condition: boolean, violation: string): void {
    if (!condition) this.violations.push(`step ${this.#steps}: ${violation}`);
  }
}

/** A sender with endless data, a path with a delay and a bandwidth, and a reader, all in simulated time. */
class SimulatedPath {
  readonly window: ReceiveWindow;
  /** Octets the reader has taken. */
  readBytes = 0;
  readonly #roundTripMs: number;
  readonly #bytesPerMs: number;
  readonly #readBytesPerMs: number;
  readonly #data: { atMs: number; bytes: number }[] = [];
  readonly #grants: { atMs: number; bytes: number }[] = [];
  #credit: number;
  #nowMs = 0;

  constructor(path: { roundTripMs: number; bytesPerMs: number; readBytesPerMs?: number; pool?: CreditPool }) {
    this.#roundTripMs = path.roundTripMs;
    this.#bytesPerMs = path.bytesPerMs;
    this.#readBytesPerMs = path.readBytesPerMs ?? Number.POSITIVE_INFINITY;
    const pool = path.pool ?? new CreditPool();
    this.#credit = ReceiveWindow.sizeFor(pool);
    this.window = new ReceiveWindow(pool, this.#credit, 0);
  }

  run(durationMs: number): void {
    const untilMs = this.#nowMs + durationMs;
    const stepMs = Math.min(1, this.#roundTripMs / 4);
    while (this.#nowMs < untilMs) {
      this.#nowMs += stepMs;
      this.#send(stepMs);
      for (const { bytes } of arrived(this.#data, this.#nowMs)) this.window.received(bytes, this.#nowMs);
      this.#read(stepMs);
      for (const { bytes } of arrived(this.#grants, this.#nowMs)) this.#credit += bytes;
    }
  }

  #send(stepMs: number): void {
    const bytes = Math.floor(Math.min(this.#credit, this.#bytesPerMs * stepMs));
    if (bytes === 0) return;
    this.#credit -= bytes;
    this.#data.push({ atMs: this.#nowMs + this.#roundTripMs / 2, bytes });
  }

  #read(stepMs: number): void {
    const bytes = Math.floor(Math.min(this.window.unreadBytes, this.#readBytesPerMs * stepMs));
    if (bytes === 0) return;
    this.readBytes += bytes;
    const increment = this.window.consumed(bytes, this.#nowMs, this.#roundTripMs);
    if (increment > 0) this.#grants.push({ atMs: this.#nowMs + this.#roundTripMs / 2, bytes: increment });
  }
}

function arrived<Item extends { atMs: number }>(items: Item[], nowMs: number): Item[] {
  const count = items.findIndex(({ atMs }) => atMs > nowMs);
  return items.splice(0, count === -1 ? items.length : count);
}
