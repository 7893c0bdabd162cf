import { describe, expect, it } from 'vitest';
import { keepAliveMs } from '../../src/agent/keep-alive-hint.ts';
import type { FieldLines } from '../../src/http/field-line.ts';

describe('keepAliveMs()', () => {
  it.each<[string, 0 | 1, FieldLines, number]>([
    ['HTTP/1.1 without a hint', 1, [], 1000],
    ['HTTP/1.0', 0, [], 0],
    ['HTTP/1.0 with Connection: keep-alive', 0, [['Connection', 'Keep-Alive']], 1000],
    ['Connection: close', 1, [['connection', 'CLOSE']], 0],
    ['close among other options', 1, [['Connection', 'x-hop , Close']], 0],
    [
      'close in a second line',
      1,
      [
        ['Connection', 'keep-alive'],
        ['Connection', 'close'],
      ],
      0,
    ],
    ['an option that only contains the word', 1, [['Connection', 'x-close']], 1000],
    ['a hint, less one second', 1, [['Keep-Alive', 'timeout=3']], 2000],
    ['a hint among others', 1, [['Keep-Alive', 'max=5, Timeout=4']], 3000],
    ['a long hint, up to four seconds', 1, [['Keep-Alive', 'timeout=600']], 4000],
    ['a hint of one second', 1, [['Keep-Alive', 'timeout=1']], 0],
    ['a hint of none', 1, [['Keep-Alive', 'timeout=0']], 0],
    ['a hint that is no number', 1, [['Keep-Alive', 'timeout=soon']], 1000],
    ['another parameter that ends like it', 1, [['Keep-Alive', 'xtimeout=9']], 1000],
  ])('%s', (_what, minorVersion, fields, expected) => {
    expect(keepAliveMs({ status: 200, reason: '', minorVersion, fields, body: { kind: 'none' } })).toBe(expected);
  });
});
