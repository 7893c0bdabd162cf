import { describe, expect, it } from 'vitest';
import { editDistance, nearestFirst } from '../../src/config/nearest.ts';

describe('nearestFirst()', () => {
  it('orders by edit distance, and equals by name', () => {
    expect(nearestFirst('hybird', ['zzz', 'hybrid', 'aaa'])).toEqual(['hybrid', 'aaa', 'zzz']);
  });

  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['same', 'same', 0],
  ])('counts the edits between %j and %j', (a, b, edits) => {
    expect([editDistance(a, b), editDistance(b, a)]).toEqual([edits, edits]);
  });
});
