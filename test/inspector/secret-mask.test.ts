import { describe, expect, it } from 'vitest';
import { maskedFields, maskedTarget, unmaskedFields, unmaskedTarget } from '../../src/inspector/secret-mask.ts';

describe('maskedFields()', () => {
  it.each([
    ['Authorization', 'Bearer abc.def', 'Bearer [masked]'],
    ['authorization', 'abc', '[masked]'],
    ['Proxy-Authorization', 'Basic dXNlcjpwYXNz', 'Basic [masked]'],
    ['Cookie', 'sid=1; theme=dark', 'sid=[masked]; theme=[masked]'],
    ['Set-Cookie', 'sid=1=2; Path=/; HttpOnly', 'sid=[masked]; Path=/; HttpOnly'],
    ['X-Api-Key', 'abc', '[masked]'],
    ['X-CSRF-Token', 'abc', '[masked]'],
    ['Location', '/cb?code=1&next=/a', '/cb?code=[masked]&next=/a'],
    ['Location', 'https://user:pass@host/a@b?next=/', 'https://[masked]@host/a@b?next=/'],
    ['X-Auth', 'abc', '[masked]'],
    ['X-Authorization', 'Bearer abc', 'Bearer [masked]'],
    ['Sec-WebSocket-Key', 'abc', 'abc'],
    ['X-Monkey', 'abc', 'abc'],
    ['Accept', 'text/html', 'text/html'],
  ])('%s: %s', (name, value, masked) => {
    expect(maskedFields([[name, value]])).toEqual([[name, masked]]);
  });
});

describe('maskedTarget()', () => {
  it.each([
    ['/?token=1', '/?token=[masked]'],
    ['/?a=1&api_key=2&accessToken=3&b=5', '/?a=1&api_key=[masked]&accessToken=[masked]&b=5'],
    ['/?user[password]=4', '/?user[password]=[masked]'],
    ['/?user%5Bpassword%5D=4', '/?user%5Bpassword%5D=[masked]'],
    ['/?%=1&token=%zz', '/?%=1&token=[masked]'],
    ['/token=1?monkey=2', '/token=1?monkey=2'],
    ['*', '*'],
  ])('%s', (target, masked) => {
    expect(maskedTarget(target)).toBe(masked);
  });
});

describe('unmasking what was edited', () => {
  const recorded = [
    ['Authorization', 'Bearer abc'],
    ['X-Api-Key', '1'],
    ['X-Api-Key', '2'],
  ] as const;

  it('gives back the recorded values, in order, beside what is new', () => {
    expect(unmaskedFields([...maskedFields(recorded), ['X-A', '1']], recorded)).toEqual([...recorded, ['X-A', '1']]);
    expect(unmaskedTarget('/new?token=[masked]&b=2&token=[masked]', '/?token=1&token=%20')).toBe(
      '/new?token=1&b=2&token=%20',
    );
  });

  it('refuses a mask for which nothing was recorded', () => {
    expect(unmaskedFields([['Cookie', 'a=[masked]']], recorded)).toBeUndefined();
    expect(unmaskedFields([['Authorization', 'Basic [masked]']], recorded)).toBeUndefined();
    expect(unmaskedTarget('/?key=[masked]', '/?token=1')).toBeUndefined();
  });
});
