import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimal } from '../../src/http/decimal.ts';

describe('decimal()', () => {
  it('reads what is written in digits, exactly up to 2^53 - 1', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (number) => {
        expect(decimal(String(number))).toBe(number);
      }),
    );
    expect(decimal('007')).toBe(7);
  });

  it('does not take a number above 2^53 - 1 for one below', () => {
    for (const text of ['9007199254740992', '9'.repeat(400)]) {
      expect(decimal(text)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
    }
  });

  it.each(['', ' 1', '1 ', '+1', '-1', '1.0', '1e3', '0x10', '١', '1_000', 'Infinity'])(
    'takes %j for no number',
    (text) => {
      expect(decimal(text)).toBeNaN();
    },
  );
});
