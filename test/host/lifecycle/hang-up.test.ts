import { describe, expect, it } from 'vitest';
import { createHangUpTest } from '../../../src/host/lifecycle/hang-up.ts';

describe('createHangUpTest()', () => {
  it.each([
    ['the terminal it was started from is gone', true, false, true],
    ['it still has its terminal', true, true, false],
    ['it never had one', false, false, false],
  ])('tells a process whether SIGHUP means the end: %s', (_, before, after, expected) => {
    let hasTerminal = before;
    const isTerminalGone = createHangUpTest(() => hasTerminal);
    hasTerminal = after;
    expect(isTerminalGone()).toBe(expected);
  });
});
