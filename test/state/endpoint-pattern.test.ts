import { expect, it } from 'vitest';
import { endpointAllowed, isEndpointPattern } from '../../src/state/endpoint-pattern.ts';

it.each([
  ['*', 'app.example.com', true],
  ['*', 'localhost', true],
  ['app.example.com', 'app.example.com', true],
  ['APP.example.com.', 'app.EXAMPLE.com', true],
  ['app.example.com', 'app.example.com.', true],
  ['app.example.com', 'b.example.com', false],
  ['app.example.com', 'x.app.example.com', false],
  ['*.example.com', 'a.example.com', true],
  ['*.example.com', 'example.com', false],
  ['*.example.com', 'a.b.example.com', false],
  ['*.example.com', 'aexample.com', false],
  ['*.example.com', '.example.com', false],
  ['*.localhost', 'calm-giraffe.localhost', true],
  ['*', '', false],
  ['*', 'a b', false],
  ['*', '*.example.com', false],
  ['*', 'a.example.com:80', false],
  ['*', '[2001:db8::1]', true],
  ['[2001:DB8::1]', '[2001:db8::1]', true],
  ['[2001:0db8:0:0::0:1]', '[2001:db8::1]', true],
  ['[2001:db8::1]', '[2001:db8::2]', false],
  ['*', '2001:db8::1', false],
  ['*', '[2001:db8::1', false],
  ['*', '[fe80::1%eth0]', false],
  ['*', '[::1]:80', false],
  ['*.0.0.1]', '[::ffff:127.0.0.1]', false],
  ['com', 'com', true],
  ['*.com', 'com', false],
])('pattern %j and host %j: %j', (pattern, host, allowed) => {
  expect(endpointAllowed([pattern], host)).toBe(allowed);
});

it('needs one pattern of several to cover the host', () => {
  expect(endpointAllowed(['a.test', '*.b.test'], 'x.b.test')).toBe(true);
  expect(endpointAllowed([], 'x.b.test')).toBe(false);
});

it('knows a pattern from other text', () => {
  for (const good of [
    '*',
    'a',
    'a.b',
    '*.a',
    '*.example.com',
    '127.0.0.1',
    '[::1]',
    'xn--bcher-kva.example',
    `${'a'.repeat(63)}.b`,
  ]) {
    expect(isEndpointPattern(good), good).toBe(true);
  }
  for (const bad of [
    '',
    '.',
    '*.',
    '**',
    '*.*',
    'a.*',
    '*a.b',
    'a..b',
    '::1',
    '[::g]',
    '*.[::1]',
    '[fe80::1%eth0]',
    '-a.b',
    'a b',
    'bücher.example',
    `${'a'.repeat(64)}.b`,
  ]) {
    expect(isEndpointPattern(bad), bad).toBe(false);
  }
  const host = `${'a.'.repeat(126)}a`;
  expect(isEndpointPattern(host)).toBe(true);
  expect(isEndpointPattern(`a${host}`)).toBe(false);
});
