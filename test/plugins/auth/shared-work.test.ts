import { describe, expect, it } from 'vitest';
import { SharedWork } from '../../../src/plugins/auth/shared-work.ts';

/** Work whose end is told, and the signals that it was begun with. */
function workshop() {
  const signals: AbortSignal[] = [];
  const ends: ((value: string) => void)[] = [];
  const begin = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<string>((resolve, reject) => {
      ends.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  };
  return { signals, ends, begin, shared: new SharedWork<string>() };
}

describe('SharedWork', () => {
  it('is begun once for all who join, and anew when it has ended', async () => {
    const { signals, ends, begin, shared } = workshop();
    const { signal } = new AbortController();
    const both = [shared.join('a', begin, signal), shared.join('a', begin, signal)];
    ends[0]?.('done');
    expect(await Promise.all(both)).toEqual(['done', 'done']);
    const next = shared.join('a', begin, signal);
    ends[1]?.('again');
    expect(await next).toBe('again');
    expect(signals).toHaveLength(2);
  });

  it('ends for whoever gives up, goes on for the others, and is given up with the last one', async () => {
    const { signals, begin, shared } = workshop();
    const aborts = [new AbortController(), new AbortController()] as const;
    const [first, last] = [shared.join('a', begin, aborts[0].signal), shared.join('a', begin, aborts[1].signal)];
    aborts[0].abort(new Error('first'));
    await expect(first).rejects.toThrow('first');
    expect(signals[0]?.aborted).toBe(false);
    aborts[1].abort(new Error('last'));
    await expect(last).rejects.toThrow('last');
    expect(signals[0]?.reason).toEqual(new Error('last'));
  });

  it('that was given up is not joined', async () => {
    const { ends, begin, shared } = workshop();
    const abort = new AbortController();
    const first = shared.join('a', begin, abort.signal);
    abort.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    const next = shared.join('a', begin, new AbortController().signal);
    ends[1]?.('done');
    expect(await next).toBe('done');
  });

  it('that fails does so for all', async () => {
    const shared = new SharedWork<string>();
    const { signal } = new AbortController();
    const fail = () => Promise.reject(new Error('broken'));
    const both = [shared.join('a', fail, signal), shared.join('a', fail, signal)];
    for (const one of both) await expect(one).rejects.toThrow('broken');
  });

  it('is not begun for whoever has given up already', async () => {
    const { signals, begin, shared } = workshop();
    await expect(shared.join('a', begin, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(signals).toEqual([]);
  });
});
