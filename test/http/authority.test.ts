import { describe, expect, it } from 'vitest';
import { parseAuthority, requestHost } from '../../src/http/authority.ts';
import type { FieldLines } from '../../src/http/field-line.ts';
import type { RequestHead } from '../../src/http/message.ts';

const invalid = expect.objectContaining({ code: 'GIR_ERR_REQUEST_INVALID' });

describe('parseAuthority()', () => {
  it.each([
    ['app.test', 'app.test', undefined],
    ['APP.Test:8081', 'app.test', 8081],
    ['app.test.', 'app.test', undefined],
    ['app.test.:1', 'app.test', 1],
    ['app.test:', 'app.test', undefined],
    ['localhost:65535', 'localhost', 65535],
    ['my_service', 'my_service', undefined],
    ['127.0.0.1:080', '127.0.0.1', 80],
    ['[::1]', '[::1]', undefined],
    ['[2001:DB8::1]:443', '[2001:db8::1]', 443],
    ['[1:2:3:4:5:6:7:8]', '[1:2:3:4:5:6:7:8]', undefined],
    ['[0:0::1]', '[::1]', undefined],
    ['[0000:0000:0000:0000:0000:0000:0000:0001]:80', '[::1]', 80],
    ['[2001:0db8:0:0:1:0:0:0001]', '[2001:db8::1:0:0:1]', undefined],
    ['[::ffff:192.0.2.1]', '[::ffff:c000:201]', undefined],
    ['[::ffff:c000:0201]', '[::ffff:c000:201]', undefined],
    ['[::]', '[::]', undefined],
    ['a'.repeat(255), 'a'.repeat(255), undefined],
  ])('reads %s', (text, host, port) => {
    expect(parseAuthority(text)).toEqual({ host, port });
  });

  it.each([
    '',
    '.',
    ':80',
    'a..test',
    '.a.test',
    'a.test..',
    'a.test:0',
    'a.test:65536',
    'a.test:8o',
    'a.test:-1',
    'a.test:80:80',
    'u@a.test',
    'a.test/',
    'a.test?x',
    'a test',
    'a,b',
    'a%2etest',
    'b\xfccher.test',
    '[::1',
    '::1',
    '[]',
    '[:1]',
    '[1::2::3]',
    '[1:2:3:4:5:6:7]',
    '[1:2:3:4:5:6:7:8:9]',
    '[1:2:3:4:5:6:7::8]',
    '[12345::]',
    '[::1.2.3]',
    '[::1.2.3.256]',
    '[::1.2.3.4:1]',
    '[fe80::1%25eth0]',
    '[v1.x]',
    '[::1]x',
    'a'.repeat(256),
  ])('refuses %j', (text) => {
    expect(() => parseAuthority(text)).toThrow(invalid);
  });
});

describe('requestHost()', () => {
  const head = (fields: FieldLines): RequestHead => ({
    method: 'GET',
    target: '/',
    minorVersion: 1,
    fields,
    body: { kind: 'none' },
  });

  it('returns the host without port, as routes are spelled', () => {
    expect(requestHost(head([['hOST', 'App.Test.:8081']]))).toBe('app.test');
  });

  it('returns undefined without Host', () => {
    expect(requestHost(head([['X-Host', 'a']]))).toBeUndefined();
  });
});
