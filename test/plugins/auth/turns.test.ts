import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/plugins/auth/turns.ts';

const { signal } = new AbortController();

/** Work that ends when it is told to, and a list of what has begun. */
function workshop() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve) => ends.push(() => resolve(name)));
  };
  const finishOne = async (): Promise<void> => {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begun, work, finishOne };
}

describe('Turns', () => {
  it('lets askers take turns, so that one with much to do does not hold up others', async () => {
    const turns = new Turns(1, 10);
    const { begun, work, finishOne } = workshop();
    const all = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) => turns.take(name.charAt(0), work(name), signal));
    for (let n = 0; n < 6; n += 1) await finishOne();
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
    expect(await Promise.all(all)).toEqual(['a1', 'a2', 'a3', 'b1', 'c1', 'b2']);
  });

  it('S5 lets only so much of one asker wait', async () => {
    const turns = new Turns(1, 2);
    const { begun, work, finishOne } = workshop();
    const taken = ['1', '2', '3', '4'].map((name) => turns.take('a', work(name), signal));
    expect(await taken[3]).toBeUndefined();
    const other = turns.take('b', work('other'), signal);
    for (let n = 0; n < 4; n += 1) await finishOne();
    expect(await Promise.all([...taken.slice(0, 3), other])).toEqual(['1', '2', '3', 'other']);
    expect(begun).not.toContain('4');
  });

  it('gives the place back when work fails, and forgets who gave up', async () => {
    const turns = new Turns(1, 10);
    const { work, finishOne } = workshop();
    const abort = new AbortController();
    const first = turns.take('a', () => Promise.reject(new Error('broken')), signal);
    const gone = turns.take('a', work('gone'), abort.signal);
    const last = turns.take('b', work('last'), signal);
    abort.abort(new Error('too late'));
    await expect(first).rejects.toThrow('broken');
    await expect(gone).rejects.toThrow('too late');
    await finishOne();
    expect(await last).toBe('last');
    await expect(turns.take('a', work('x'), abort.signal)).rejects.toThrow('too late');
  });
});
