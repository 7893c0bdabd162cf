import { describe, expect, it } from 'vitest';
import { HostTranslation } from '../../src/agent/host-translation.ts';
import type { FieldLines } from '../../src/http/field-line.ts';
import { parseTarget } from '../../src/http/target.ts';

/** A translation for a request to app.example.com over https, for an origin on port 3000 of this machine. */
function translation(target = '3000'): HostTranslation {
  return new HostTranslation(parseTarget(target), [
    ['Host', 'app.example.com'],
    ['X-Forwarded-Proto', 'https'],
  ]);
}

describe('a request for an origin that knows itself by another name', () => {
  it.each<[string, FieldLines, FieldLines]>([
    ['has the Host of the origin', [['Host', 'app.example.com']], [['Host', 'localhost:3000']]],
    ['keeps the case of names', [['hOST', 'app.example.com']], [['hOST', 'localhost:3000']]],
    ['has an Origin of the origin', [['Origin', 'https://app.example.com']], [['Origin', 'http://localhost:3000']]],
    [
      'has a Referer of the origin',
      [['Referer', 'https://app.example.com/a?b']],
      [['Referer', 'http://localhost:3000/a?b']],
    ],
    ['keeps the Origin of another site', [['Origin', 'https://evil.test']], [['Origin', 'https://evil.test']]],
    ['keeps an opaque Origin', [['Origin', 'null']], [['Origin', 'null']]],
    ['keeps X-Forwarded-Host', [['X-Forwarded-Host', 'app.example.com']], [['X-Forwarded-Host', 'app.example.com']]],
  ])('%s', (_name, fields, expected) => {
    expect(translation().request(fields)).toEqual(expected);
  });
});

describe('an answer of an origin that knows itself by another name', () => {
  it.each([
    ['http://localhost:3000/login?next=%2F#top', 'https://app.example.com/login?next=%2F#top'],
    ['http://127.0.0.1:3000/', 'https://app.example.com/'],
    ['http://[::1]:3000', 'https://app.example.com'],
    ['/login', '/login'],
    ['//localhost:3000/a', '//localhost:3000/a'],
    ['http://localhost:4000/', 'http://localhost:4000/'],
    ['https://id.example.com/authorize', 'https://id.example.com/authorize'],
    ['http://not a url', 'http://not a url'],
  ])('redirects from %s to %s', (location, expected) => {
    expect(translation().response([['Location', location]])).toEqual([['Location', expected]]);
  });

  it.each([
    ['id=1; Domain=localhost; Path=/', 'id=1; Path=/'],
    ['id=1; domain=.LOCALHOST;HttpOnly', 'id=1;HttpOnly'],
    ['id=1; Domain=example.com', 'id=1; Domain=example.com'],
    ['domain=localhost; Path=/', 'domain=localhost; Path=/'],
  ])('sets the cookie %s as %s', (cookie, expected) => {
    expect(translation().response([['Set-Cookie', cookie]])).toEqual([['Set-Cookie', expected]]);
  });

  it('allows the origin of its clients where it allows its own', () => {
    expect(translation().response([['Access-Control-Allow-Origin', 'http://localhost:3000']])).toEqual([
      ['Access-Control-Allow-Origin', 'https://app.example.com'],
    ]);
  });

  it('means only its own host when it is another machine', () => {
    const other = translation('https://intra.example:8443');
    expect(other.response([['Location', 'https://intra.example:8443/a']])).toEqual([
      ['Location', 'https://app.example.com/a'],
    ]);
    expect(other.response([['Location', 'http://localhost:8443/a']])).toEqual([
      ['Location', 'http://localhost:8443/a'],
    ]);
  });

  it('leaves everything else as it is', () => {
    const fields: FieldLines = [
      ['X-Url', 'http://localhost:3000/'],
      ['Content-Type', 'text/html'],
    ];
    expect(translation().response(fields)).toEqual(fields);
  });
});
