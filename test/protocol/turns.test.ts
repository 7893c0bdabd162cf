import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxUrgency, smallStreamBytes, Turns, type TurnTaker, usualUrgency } from '../../src/protocol/turns.ts';

interface Named extends TurnTaker {
  readonly name: string;
}

function taker(name: string, urgency = usualUrgency, sentBytes = 0): Named {
  return { name, urgency, sentBytes };
}

/** Takes everybody out, in order. */
function drain(turns: Turns<Named>): string[] {
  const names: string[] = [];
  for (let next = turns.next(); next !== undefined; next = turns.next()) names.push(next.name);
  return names;
}

/** Lets those who had a turn line up again, and counts turns by name. */
function count(turns: Turns<Named>, slices: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let slice = 0; slice < slices; slice += 1) {
    const next = turns.next();
    if (next === undefined) break;
    counts[next.name] = (counts[next.name] ?? 0) + 1;
    turns.add(next);
  }
  return counts;
}

describe('Turns', () => {
  it('lets the more urgent go first, whatever they have sent, and equals in the order in which they came', () => {
    const turns = new Turns<Named>();
    for (const one of [
      taker('last', 7),
      taker('usual 1'),
      taker('usual 2'),
      taker('urgent bulk', 1, smallStreamBytes),
      taker('urgent', 1),
      taker('first', 0),
    ]) {
      turns.add(one);
    }
    expect(turns.isEmpty).toBe(false);
    expect(drain(turns)).toEqual(['first', 'urgent', 'urgent bulk', 'usual 1', 'usual 2', 'last']);
    expect(turns.isEmpty).toBe(true);
  });

  it('lets small streams go before bulk of the same urgency, of which one gets every ninth turn', () => {
    const turns = new Turns<Named>();
    turns.add(taker('bulk', usualUrgency, smallStreamBytes));
    turns.add(taker('small', usualUrgency, smallStreamBytes - 1));
    expect(count(turns, 90)).toEqual({ small: 80, bulk: 10 });
  });

  it('lets nobody starve: behind 32 slices of the most urgent one of the others gets a turn, each level in its turn', () => {
    const turns = new Turns<Named>();
    for (const urgency of [0, 3, 7]) turns.add(taker(String(urgency), urgency));
    expect(count(turns, 33 * 10)).toEqual({ 0: 320, 3: 5, 7: 5 });
  });

  it('gives everybody out once and in the end is empty, however they come', () => {
    const someone = fc.record({ urgency: fc.nat(maxUrgency), sentBytes: fc.constantFrom(0, smallStreamBytes) });
    fc.assert(
      fc.property(fc.array(someone, { maxLength: 200 }), (list) => {
        const turns = new Turns<Named>();
        const all = list.map((one, index) => ({ ...one, name: String(index) }));
        for (const one of all) turns.add(one);
        expect(drain(turns).sort()).toEqual(all.map(({ name }) => name).sort());
        expect(turns.isEmpty).toBe(true);
      }),
    );
  });
});
