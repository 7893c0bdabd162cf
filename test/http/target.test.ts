import { describe, expect, it } from 'vitest';
import { parseTarget, targetAuthority, targetText } from '../../src/http/target.ts';

describe('parseTarget()', () => {
  it.each([
    ['3000', { kind: 'tcp', host: 'localhost', port: 3000, tls: false }],
    ['65535', { kind: 'tcp', host: 'localhost', port: 65_535, tls: false }],
    ['127.0.0.1:80', { kind: 'tcp', host: '127.0.0.1', port: 80, tls: false }],
    ['[::1]:8080', { kind: 'tcp', host: '::1', port: 8080, tls: false }],
    ['http://app.internal', { kind: 'tcp', host: 'app.internal', port: 80, tls: false }],
    ['https://app.internal/', { kind: 'tcp', host: 'app.internal', port: 443, tls: true }],
    ['HTTPS://app.internal:8443', { kind: 'tcp', host: 'app.internal', port: 8443, tls: true }],
    ['http://[::1]:3000', { kind: 'tcp', host: '::1', port: 3000, tls: false }],
    ['unix:/run/app.sock', { kind: 'unix', path: '/run/app.sock' }],
  ])('reads %s', (text, target) => {
    expect(parseTarget(text)).toEqual(target);
  });

  it.each([
    '',
    '0',
    '65536',
    'localhost',
    'localhost:',
    'localhost:0',
    'http://app/path',
    'http://app/?q',
    'http://app/#f',
    'http://user:password@app/',
    'ftp://app/',
    'unix:relative.sock',
    'unix:/a\0b',
    'a b:80',
  ])('refuses %j and says what is accepted', (text) => {
    expect(() => parseTarget(text)).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_USAGE', message: expect.stringContaining('unix:/path') }),
    );
  });

  it.each(['http://localhost:3000', 'https://app.internal', 'http://[::1]:3000', 'unix:/run/app.sock'])(
    'reads %s back from its text',
    (text) => {
      const target = parseTarget(text);
      expect(targetText(target)).toBe(text);
      expect(parseTarget(targetText(target))).toEqual(target);
    },
  );

  it('names the port in Host only when it is not the usual one', () => {
    expect(targetAuthority(parseTarget('http://app:80'))).toBe('app');
    expect(targetAuthority(parseTarget('https://app:80'))).toBe('app:80');
    expect(targetAuthority(parseTarget('[::1]:8080'))).toBe('[::1]:8080');
    expect(targetAuthority(parseTarget('unix:/run/app.sock'))).toBe('localhost');
  });
});
