import { describe, expect, it } from 'vitest';
import { FieldNames } from '../../src/http/field-names.ts';

describe('FieldNames', () => {
  const names = new FieldNames(['connection', 'te', 'x-forwarded-for']);

  it('finds its names in any case', () => {
    for (const name of ['connection', 'Connection', 'CONNECTION', 'TE', 'tE', 'X-Forwarded-For']) {
      expect(names.has(name), name).toBe(true);
    }
  });

  it('does not take others for them, though length and first letter are the same', () => {
    // 42 characters are as many as 10 to a signature.
    for (const name of [
      'cookie-two',
      'to',
      'x-forwarded-fox',
      'X_Forwarded_For',
      '',
      `c${'o'.repeat(41)}`,
      'connections',
    ]) {
      expect(names.has(name), name).toBe(false);
    }
  });

  it('finds look-alikes with _ when it is asked for them', () => {
    for (const name of ['X_Forwarded-For', 'x_forwarded_for', 'X-Forwarded-For']) {
      expect(names.hasAlike(name), name).toBe(true);
    }
    expect(names.hasAlike('x_forwarded_to')).toBe(false);
  });
});
