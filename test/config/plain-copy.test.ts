import { describe, expect, it } from 'vitest';
import { plainCopy } from '../../src/config/plain-copy.ts';

function deep(levels: number): object {
  let value = {};
  for (let level = 1; level < levels; level += 1) value = { a: value };
  return value;
}

describe('plainCopy()', () => {
  it('leaves out keys without a value, but none of the options of an extension', () => {
    const copy = plainCopy({ a: null, b: { c: null }, d: [null], options: { e: null, f: [{ g: null }] } }, 'file');
    expect(copy).toEqual({ b: {}, d: [null], options: { e: null, f: [{ g: null }] } });
  });

  it('takes own keys of any name, and the same thing in two places', () => {
    const shared = { x: 1 };
    const copy = plainCopy({ a: shared, b: [shared, shared], ['__proto__']: shared }, 'file') as object;
    expect(Object.entries(copy)).toEqual([
      ['a', shared],
      ['b', [shared, shared]],
      ['__proto__', shared],
    ]);
  });

  it('leaves objects of other kinds in options as they are', () => {
    const [date, own] = [new Date(0), new (class Own {})()];
    expect(plainCopy({ options: { date, own } }, 'file')).toEqual({ options: { date, own } });
  });

  const cycle: { self?: object } = {};
  cycle.self = cycle;
  const broken = {
    get ports(): never {
      throw new Error('no ports today');
    },
  };
  const trap = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('a trap');
      },
    },
  );
  it.each<[string, unknown, string]>([
    ['a cycle', { server: cycle }, 'file: server.self leads back to what it stands in'],
    ['a cycle in options', { auth: [{ options: { x: cycle } }] }, 'auth[0].options.x.self leads back'],
    ['what is too deep', { server: deep(64) }, 'is more than 64 levels deep'],
    ['what throws', { server: broken }, 'file: server.ports cannot be read: no ports today'],
    ['what throws in options', { options: broken }, 'file: options.ports cannot be read: no ports today'],
    ['a trap', trap, 'file: all of it cannot be read: a trap'],
    ['a map', { tunnels: new Map([['web', {}]]) }, 'file: tunnels is a Map; accepted are mappings'],
    ['a date', { server: { baseDomain: new Date() } }, 'file: server.baseDomain is a Date'],
    ['a promise', { server: Promise.resolve({}) }, 'file: server is a Promise'],
  ])('refuses %s', (_case, content, message) => {
    expect(() => plainCopy(content, 'file')).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_CONFIG', message: expect.stringContaining(message) }),
    );
  });

  it('takes what is 64 levels deep', () => {
    expect(plainCopy(deep(64), 'file')).toEqual(deep(64));
  });
});
