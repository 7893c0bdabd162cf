import { describe, expect, it } from 'vitest';
import {
  authorityOr,
  byteSize,
  count,
  duration,
  endpointHost,
  hostName,
  list,
  oneOf,
  plainText,
  port,
  serverAddress,
  type TextSchema,
  yesOrNo,
} from '../../src/config/units.ts';

/** Returns the value, or the message of the refusal. */
function read<T>(schema: TextSchema<T>, text: string): T | string | undefined {
  const result = schema.safeParse(text);
  return result.success ? result.data : result.error.issues[0]?.message;
}

function isRefused<T>(schema: TextSchema<T>, text: string): boolean {
  return !schema.safeParse(text).success;
}

describe('duration()', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1.5s', 1500],
    [' 2s ', 2000],
    ['0', 0],
    ['0s', 0],
  ])('reads %s', (text, milliseconds) => {
    expect(read(duration(0), text)).toBe(milliseconds);
  });

  it.each(['', '30', '-1s', '1d', '1 s', '1e3s', 's', '1s2s', '597h', '99999999999ms'])('refuses %j', (text) => {
    expect(read(duration(0), text)).toBe('a duration such as 250ms, 30s, 5m or 1h');
  });

  it('takes the longest time that a timer can wait, and no more', () => {
    expect(read(duration(0), '2147483647ms')).toBe(2_147_483_647);
    expect(isRefused(duration(0), '2147483648ms')).toBe(true);
  });

  it('takes its least value, and names it when it refuses less', () => {
    expect(read(duration(100), '100ms')).toBe(100);
    expect(read(duration(100), '99ms')).toMatch(/at least 100ms$/);
  });
});

describe('port()', () => {
  it('takes 0 to listen on a free one, and not to connect to', () => {
    expect(read(port(0), '0')).toBe(0);
    expect(read(port(1), '0')).toBe('a port from 1 to 65535');
  });

  it('takes 65535 and refuses 65536', () => {
    expect(read(port(0), '65535')).toBe(65_535);
    expect(isRefused(port(0), '65536')).toBe(true);
  });

  it.each(['', 'http', '80.0', '+80', '0x50', '-1'])('refuses %j', (text) => {
    expect(isRefused(port(0), text)).toBe(true);
  });
});

describe('byteSize()', () => {
  it.each([
    ['1024', 1024],
    ['64KiB', 65_536],
    ['64kib', 65_536],
    ['16MiB', 16_777_216],
    ['2048B', 2048],
  ])('reads %s', (text, bytes) => {
    expect(read(byteSize(1024, 2 ** 30), text)).toBe(bytes);
  });

  it.each(['1023', '2GiB', '64KB', '1.5MiB', 'MiB', '-1'])('refuses %j', (text) => {
    expect(isRefused(byteSize(1024, 2 ** 30), text)).toBe(true);
  });
});

describe('endpointHost()', () => {
  it.each([
    ['App.test', 'app.test'],
    ['203.0.113.5', '203.0.113.5'],
    ['2001:DB8:0:0::1', '[2001:db8::1]'],
    ['[0:0::1]', '[::1]'],
  ])('reads %s as %s, as clients write it in Host', (text, host) => {
    expect(read(endpointHost(), text)).toBe(host);
  });

  it.each(['[fe80::1%eth0]', 'app.test:80', ''])('refuses %j', (text) => {
    expect(isRefused(endpointHost(), text)).toBe(true);
  });
});

describe('hostName()', () => {
  it.each([
    ['APP.Example.com', 'app.example.com'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['[2001:DB8::1]', '2001:db8::1'],
  ])('reads %s', (text, host) => {
    expect(read(hostName(), text)).toBe(host);
  });

  it.each(['', 'a:80', 'a b', 'a/b', '-a', 'http://a', 'a..b', 'a\nb', '.'])('refuses %j', (text) => {
    expect(isRefused(hostName(), text)).toBe(true);
  });
});

describe('serverAddress()', () => {
  it.each([
    ['edge.example.com', 'edge.example.com', 4444],
    ['edge.example.com:9', 'edge.example.com', 9],
    ['[::1]:9', '::1', 9],
    ['[::1]', '::1', 4444],
    ['::1', '::1', 4444],
  ])('reads %s', (text, host, portNumber) => {
    expect(read(serverAddress(4444), text)).toEqual({ host, port: portNumber });
  });

  it.each(['', ':9', 'a:0', 'a:65536', 'a:b', 'a:1:2', 'https://a'])('refuses %j', (text) => {
    expect(isRefused(serverAddress(4444), text)).toBe(true);
  });
});

describe('other values', () => {
  it('count() takes both of its bounds', () => {
    expect([read(count(1, 9), '1'), read(count(1, 9), '9')]).toEqual([1, 9]);
    expect([isRefused(count(1, 9), '0'), isRefused(count(1, 9), '10')]).toEqual([true, true]);
  });

  it('oneOf() takes its words as they are written', () => {
    expect(read(oneOf(['auto', 'tcp']), 'tcp')).toBe('tcp');
    expect(read(oneOf(['auto', 'tcp']), 'TCP')).toBe('one of auto, tcp');
  });

  it('list() takes values between commas and names what one of them must be', () => {
    expect(read(list(port(1)), '1, 2,,3')).toEqual([1, 2, 3]);
    expect(read(list(port(1)), '')).toEqual([]);
    expect(read(list(port(1)), '1,x')).toBe('a port from 1 to 65535');
  });

  it('yesOrNo() knows nothing that every object has', () => {
    expect([read(yesOrNo(), 'TRUE'), read(yesOrNo(), '0')]).toEqual([true, false]);
    expect(isRefused(yesOrNo(), 'constructor')).toBe(true);
  });

  it('plainText() refuses control characters', () => {
    expect(read(plainText('a path'), '/x')).toBe('/x');
    expect(read(plainText('a path'), '/x\u001b[31m')).toBe('a path');
  });

  it('authorityOr() takes its words and what may stand in Host', () => {
    const schema = authorityOr(['preserve']);
    expect([read(schema, 'preserve'), read(schema, 'a.test:80')]).toEqual(['preserve', 'a.test:80']);
    expect([isRefused(schema, 'a b'), isRefused(schema, 'a\r\nX: y')]).toEqual([true, true]);
  });
});
