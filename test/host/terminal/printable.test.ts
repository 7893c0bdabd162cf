import { describe, expect, it } from 'vitest';
import { printable, redacted } from '../../../src/host/terminal/printable.ts';

const token = `grf_${'a'.repeat(43)}`;

describe('printable()', () => {
  it('keeps every text on its line and harmless to a terminal', () => {
    expect(printable('a\r\nb\u001b[31m\u0000\u007f\u009b\u2028\u202e')).toBe(
      'a\\r\\nb\\u001b[31m\\0\\u007f\\u009b\\u2028\\u202e',
    );
  });

  it('leaves letters of any script alone', () => {
    expect(printable('/größe/日本?x=1 👍')).toBe('/größe/日本?x=1 👍');
  });
});

describe('redacted()', () => {
  it('hides agent tokens, admin tokens and parts of them', () => {
    expect(redacted(`${token} gra_${'b'.repeat(43)} x=grf_abcdefgh`)).toBe('[redacted] [redacted] x=[redacted]');
  });

  it('S7 hides JSON Web Tokens, values of Authorization and hashes of passwords, and no ordinary words', () => {
    const jwt = `eyJ${'h'.repeat(20)}.eyJ${'p'.repeat(20)}.${'s'.repeat(40)}`;
    expect(redacted(`token ${jwt}, then`)).toBe('token [redacted], then');
    expect(redacted('{"authorization":"Basic YW5uOnMzY3JldA=="}')).toBe('{"authorization":"[redacted]"}');
    expect(redacted("users.ann: '$scrypt$ln=15,r=8,p=1$abc$def'")).toBe("users.ann: '[redacted]'");
    expect(redacted('"http://ann:s3:cr@et@a.test/x?y=b@c", see https://b.test, a@b.test')).toBe(
      '"http://[redacted]@a.test/x?y=b@c", see https://b.test, a@b.test',
    );
    const words = 'HTTP Basic authentication, and Bearer tokens of eyJury.example.com';
    expect(redacted(words)).toBe(words);
  });
});
