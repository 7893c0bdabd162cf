import { describe, expect, it } from 'vitest';
import { Disconnections } from '../../src/edge/disconnections.ts';

/** Asks as an agent whose HELLO is checked at once. */
function ask(disconnections: Disconnections, run: string, ...endpoints: string[]): readonly string[] {
  const pending = disconnections.begin();
  const refused = disconnections.refused(run, endpoints, pending);
  disconnections.settled(pending);
  return refused;
}

describe('Disconnections', () => {
  it('S3 hold for an agent that served, and for no other one', () => {
    const disconnections = new Disconnections();
    disconnections.opened('one');
    disconnections.take('a.test', ['one']);
    expect(ask(disconnections, 'one', 'a.test', 'b.test')).toEqual(['a.test']);
    expect(ask(disconnections, 'two', 'a.test', 'b.test')).toEqual([]);
  });

  it('S3 hold for an agent that was away, and not for one that serves something else since', () => {
    const disconnections = new Disconnections();
    disconnections.lost('one', ['a.test', 'b.test']);
    disconnections.lost('two', ['a.test']);
    disconnections.opened('two');
    disconnections.take('a.test', []);
    expect(ask(disconnections, 'one', 'a.test', 'b.test')).toEqual(['a.test']);
    expect(ask(disconnections, 'two', 'a.test')).toEqual([]);
  });

  it('S3 hold for an agent whose HELLO was being checked, and for what it asks later', () => {
    const disconnections = new Disconnections();
    const [during, after] = [disconnections.begin(), disconnections.begin()];
    disconnections.settled(after);
    disconnections.take('a.test', []);
    expect(disconnections.refused('one', ['b.test', 'a.test'], during)).toEqual(['a.test']);
    disconnections.settled(during);
    expect(disconnections.refused('two', ['a.test'], after)).toEqual([]);
    expect(ask(disconnections, 'one', 'a.test')).toEqual(['a.test']);
  });

  it('S3 forget the oldest agents beyond 10,000', () => {
    const disconnections = new Disconnections();
    for (let agent = 0; agent <= 10_000; agent += 1) disconnections.lost(`lost-${agent}`, ['a.test']);
    disconnections.take('a.test', []);
    expect(ask(disconnections, 'lost-0', 'a.test')).toEqual([]);
    expect(ask(disconnections, 'lost-1', 'a.test')).toEqual(['a.test']);
    disconnections.take('b.test', ['newest']);
    expect(ask(disconnections, 'lost-2', 'a.test')).toEqual([]);
    expect(ask(disconnections, 'newest', 'b.test')).toEqual(['b.test']);
  });
});
