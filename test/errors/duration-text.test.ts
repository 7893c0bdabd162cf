import { expect, it } from 'vitest';
import { durationText } from '../../src/errors/duration-text.ts';

it.each([
  [0, '0 ms'],
  [250, '250 ms'],
  [1000, '1 s'],
  [1500, '1500 ms'],
  [90_000, '90 s'],
  [300_000, '5 min'],
])('%d milliseconds are told as %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
