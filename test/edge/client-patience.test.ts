import { expect, test } from 'vitest';
import { ClientPatience } from '../../src/edge/client-patience.ts';
import { defaultEdgeLimits } from '../../src/edge/edge-options.ts';

const limits = { ...defaultEdgeLimits, headTimeoutMs: 10, bodyIdleTimeoutMs: 20, keepAliveTimeoutMs: 30 };
const nothingWaits = { bytesWritten: 500, writableLength: 0 };
const begun = (): ClientPatience => new ClientPatience(limits, 1000);

test.each([
  ['head', 10],
  ['body', 20],
  ['next-request', 30],
] as const)('S5 a %s is waited for %d ms and not longer', (owed, limitMs) => {
  const patience = begun();
  expect(patience.exhausted(1000 + limitMs, nothingWaits, owed)).toBe('nothing');
  expect(patience.exhausted(1001 + limitMs, nothingWaits, owed)).toBe(owed);
});

test('S5 a client that owes nothing is waited for without end', () => {
  expect(begun().exhausted(1e9, nothingWaits, 'nothing')).toBe('nothing');
});

test('S5 a wait is renewed by what has come', () => {
  const patience = begun();
  patience.renew(1015);
  expect(patience.exhausted(1025, nothingWaits, 'head')).toBe('nothing');
});

test('S5 while something waits to be taken, no other wait runs', () => {
  const patience = begun();
  expect(patience.exhausted(1090, { bytesWritten: 500, writableLength: 100 }, 'body')).toBe('nothing');
  expect(patience.exhausted(1100, nothingWaits, 'body')).toBe('nothing');
});

test('S5 a client that takes nothing is given five times the idle limit, and one that takes little has time again', () => {
  const patience = begun();
  expect(patience.exhausted(1000, { bytesWritten: 500, writableLength: 100 }, 'nothing')).toBe('nothing');
  expect(patience.exhausted(1100, { bytesWritten: 500, writableLength: 100 }, 'nothing')).toBe('nothing');
  expect(patience.exhausted(1100, { bytesWritten: 500, writableLength: 99 }, 'nothing')).toBe('nothing');
  expect(patience.exhausted(1200, { bytesWritten: 500, writableLength: 99 }, 'nothing')).toBe('nothing');
  expect(patience.exhausted(1201, { bytesWritten: 500, writableLength: 99 }, 'nothing')).toBe('taking');
});

test('S5 what is queued while nothing leaves is not taken', () => {
  const patience = begun();
  patience.exhausted(1000, { bytesWritten: 500, writableLength: 100 }, 'nothing');
  expect(patience.exhausted(1101, { bytesWritten: 900, writableLength: 500 }, 'nothing')).toBe('taking');
});
