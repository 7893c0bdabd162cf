import { describe, expect, it, vi } from 'vitest';
import { CapturedBody } from '../../src/inspector/captured-body.ts';
import type { StoreChanges } from '../../src/inspector/exchange-store.ts';
import { storeWith, tell } from './recorded.ts';

const ignored = { charge: () => {} };

describe('CapturedBody', () => {
  it('keeps a body that fits, in a copy of its own', () => {
    const body = new CapturedBody(8, ignored);
    const piece = Buffer.from('abcd');
    body.add(piece);
    piece.fill('x');
    body.add(Buffer.from('efgh'));
    expect(body.bytes.toString()).toBe('abcdefgh');
    expect(body).toMatchObject({ totalBytes: 8, isTruncated: false });
  });

  it('keeps a beginning of what is longer by one octet, and counts the rest', () => {
    const body = new CapturedBody(8, ignored);
    body.add(Buffer.from('abcde'));
    body.add(Buffer.from('fghi'));
    body.add(Buffer.from('jk'));
    expect(body.bytes.toString()).toBe('abcdefgh');
    expect(body).toMatchObject({ totalBytes: 11, isTruncated: true });
  });

  it('pays for the buffer it holds, and never for more than its bound', () => {
    let held = 0;
    const body = new CapturedBody(1000, {
      charge: (bytes) => {
        held += bytes;
      },
    });
    for (let piece = 0; piece < 500; piece += 1) body.add(Buffer.from('abc'));
    expect(held).toBe(1000);
    expect(body.bytes).toHaveLength(1000);
  });
});

describe('ExchangeStore', () => {
  it('lists the latest exchange first, and keeps no more than its count', () => {
    const store = storeWith({ maxExchanges: 2 });
    for (const target of ['/1', '/2', '/3']) tell(store, { target });
    expect(store.list().map(({ beginning }) => beginning.head.target)).toEqual(['/3', '/2']);
  });

  it('lets the oldest exchange that is over make room for a new one, not one that goes on', () => {
    const store = storeWith({ maxExchanges: 2 });
    tell(store, { target: '/live', isLive: true });
    for (const target of ['/over', '/new']) tell(store, { target });
    expect(store.list().map(({ beginning }) => beginning.head.target)).toEqual(['/new', '/live']);
  });

  it('pays for the target of a request', () => {
    const store = storeWith({});
    tell(store, { target: '/' });
    const short = store.heldBytes;
    tell(store, { target: `/${'a'.repeat(10_000)}` });
    expect(store.heldBytes).toBe(2 * short + 10_000);
  });

  it('stays within its octets whatever passes, and gives all of them back', () => {
    const store = storeWith({ maxBytes: 100_000, maxBodyBytes: 20_000 });
    for (let count = 0; count < 200; count += 1) {
      tell(store, { body: Buffer.alloc(count * 500), answer: Buffer.alloc(30_000), isLive: count % 3 === 0 });
      expect(store.heldBytes).toBeLessThanOrEqual(100_000);
    }
    expect(store.list().length).toBeGreaterThan(1);
    store.clear();
    expect(store.heldBytes).toBe(0);
    expect(store.list()).toEqual([]);
  });

  it('takes nothing more for an exchange that it has dropped', () => {
    const store = storeWith();
    const record = tell(store, { isLive: true });
    store.clear();
    record.onResponseBody(Buffer.alloc(1000));
    record.onFinished(undefined);
    expect(store.heldBytes).toBe(0);
    expect(record.responseBody).toBeUndefined();
  });

  it('tells watchers of many changes at once: of each exchange once, and of what it dropped', () => {
    vi.useFakeTimers();
    try {
      const store = storeWith({ maxExchanges: 2 });
      const told: StoreChanges[] = [];
      using _watch = store.watch((changes) => told.push(changes));
      const [first, second, third] = ['/1', '/2', '/3'].map((target) => tell(store, { target }));
      vi.runAllTimers();
      expect(told).toEqual([{ changed: [second, third], dropped: [first?.id] }]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps no list of changes when nobody watches any more', () => {
    vi.useFakeTimers();
    try {
      const store = storeWith();
      const listener = vi.fn();
      const watch = store.watch(listener);
      tell(store);
      watch[Symbol.dispose]();
      vi.runAllTimers();
      expect(listener).not.toHaveBeenCalled();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
