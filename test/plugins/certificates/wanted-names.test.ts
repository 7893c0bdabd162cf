import { describe, expect, it } from 'vitest';
import { WantedNames } from '../../../src/plugins/certificates/wanted-names.ts';

const dayMs = 86_400_000;

function world(max: number) {
  let nowMs = 0;
  const names = new WantedNames<string>(max, () => nowMs);
  const ask = (...wanted: string[]) => wanted.map((name) => names.ask(name, () => `what is kept of ${name}`));
  const served = () => [...names.served()].map(([name]) => name);
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { names, ask, served, pass };
}

describe('WantedNames', () => {
  it('keeps one thing for each name, however often it is asked for', () => {
    const { names, ask } = world(2);
    expect(ask('a', 'a')).toEqual([true, true]);
    expect(names.ask('a', () => 'another')).toBe(true);
    expect(names.get('a')).toBe('what is kept of a');
    expect(names.get('b')).toBeUndefined();
  });

  it('has no place for one name more than it may keep, and still one for those that it keeps', () => {
    const { ask, served } = world(2);
    expect(ask('a', 'b', 'c', 'a')).toEqual([true, true, false, true]);
    expect(served()).toEqual(['b', 'a']);
  });

  it('gives the place of a name that was not asked for in a day to another one, and what it has to clients until then', () => {
    const { names, ask, served, pass } = world(2);
    ask('a', 'b');
    pass(dayMs - 1);
    expect(ask('b', 'c')).toEqual([true, false]);
    pass(1);
    expect(served()).toEqual(['b']);
    expect(names.get('a')).toBe('what is kept of a');
    expect(ask('c')).toEqual([true]);
    expect(names.get('a')).toBeUndefined();
    expect(served()).toEqual(['b', 'c']);
  });
});
