import { describe, expect, it } from 'vitest';
import { advance, type OrderedFrame, type Progress } from '../../src/protocol/stream-order.ts';

const table: [Progress, OrderedFrame, Progress | undefined][] = [
  ['head', 'interim-head', 'head'],
  ['head', 'head', 'body'],
  ['head', 'head-and-end', 'ended'],
  ['head', 'data', undefined],
  ['head', 'data-and-end', undefined],
  ['head', 'end', undefined],
  ['body', 'interim-head', undefined],
  ['body', 'head', undefined],
  ['body', 'head-and-end', undefined],
  ['body', 'data', 'body'],
  ['body', 'data-and-end', 'ended'],
  ['body', 'end', 'ended'],
  ['ended', 'interim-head', undefined],
  ['ended', 'head', undefined],
  ['ended', 'head-and-end', undefined],
  ['ended', 'data', undefined],
  ['ended', 'data-and-end', undefined],
  ['ended', 'end', undefined],
];

describe('advance()', () => {
  it.each(table.filter(([, , next]) => next !== undefined))('%s, then %s, is %s', (progress, frame, next) => {
    expect(advance(progress, frame)).toBe(next);
  });

  it.each(table.filter(([, , next]) => next === undefined))('%s refuses %s', (progress, frame) => {
    expect(() => advance(progress, frame)).toThrow(expect.objectContaining({ code: 'GIR_ERR_PROTOCOL' }));
  });
});
