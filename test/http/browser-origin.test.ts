import { describe, expect, it } from 'vitest';
import { browserOrigin, createOriginTest, isOriginPattern } from '../../src/http/browser-origin.ts';

describe('isOriginPattern()', () => {
  it.each([
    '*',
    'null',
    'https://app.example.com',
    'http://localhost:3000',
    'https://*.example.com',
    'https://[::1]:8443',
    'chrome-extension://abcdef',
  ])('accepts %s', (text) => expect(isOriginPattern(text)).toBe(true));

  it.each([
    '',
    'app.example.com',
    'https://app.example.com/',
    'https://app.example.com/x',
    'https://*',
    'https://a.*.com',
    'https://user@example.com',
    'https://example.com https://other.com',
  ])('refuses %j', (text) => expect(isOriginPattern(text)).toBe(false));
});

describe('createOriginTest()', () => {
  it('compares origins without regard to case and to the default port', () => {
    const isAllowed = createOriginTest(['https://App.example.com', 'http://other.test:80']);
    expect(['https://app.example.com', 'HTTPS://APP.EXAMPLE.COM:443', 'http://other.test'].map(isAllowed)).toEqual([
      true,
      true,
      true,
    ]);
    expect(
      ['http://app.example.com', 'https://app.example.com:8443', 'https://xapp.example.com'].map(isAllowed),
    ).toEqual([false, false, false]);
  });

  it('takes *. for any subdomain, and neither for the name itself nor for a look-alike', () => {
    const isAllowed = createOriginTest(['https://*.example.com']);
    expect(['https://a.example.com', 'https://a.b.example.com'].map(isAllowed)).toEqual([true, true]);
    expect(
      [
        'https://example.com',
        'https://evilexample.com',
        'https://evil.com/.example.com',
        'http://a.example.com',
        'null',
      ].map(isAllowed),
    ).toEqual([false, false, false, false, false]);
  });
});

describe('browserOrigin()', () => {
  const of = (origin: string[], host = 'app.test') =>
    browserOrigin([['Host', host], ...origin.map((value) => ['Origin', value] as const)]).kind;

  it('tells a page of the endpoint itself, behind TLS or not, from one of elsewhere', () => {
    expect(of([])).toBe('none');
    expect([of(['http://app.test']), of(['https://APP.test']), of(['https://app.test:443'])]).toEqual([
      'same',
      'same',
      'same',
    ]);
    expect(of(['http://app.test:8081'], 'app.test:8081')).toBe('same');
    expect([of(['http://app.test:1']), of(['https://x.app.test']), of(['null']), of(['app.test'])]).toEqual([
      'other',
      'other',
      'other',
      'other',
    ]);
  });

  it('takes several Origin lines for an origin of nobody', () => {
    expect(of(['https://app.test', 'https://app.test'])).toBe('other');
  });
});
