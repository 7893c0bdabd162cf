import { describe, expect, it } from 'vitest';
import { KeptHead } from '../../src/inspector/kept-head.ts';

describe('a kept head', () => {
  it.each([
    ['no line', []],
    ['an empty value', [['X-Empty', '']]],
    [
      'lines of one name, in their order',
      [
        ['Set-Cookie', 'a=1'],
        ['Via', '1.1 a'],
        ['set-cookie', 'b=2'],
      ],
    ],
    ['octets beyond ASCII and tabs', [['X-Text', 'caf\xe9\tau lait']]],
  ] as const)('gives back %s', (_, fields) => {
    const head = {
      method: 'GET',
      target: '/a?b',
      minorVersion: 1,
      fields,
      body: { kind: 'length', lengthBytes: 3 },
    } as const;
    expect(new KeptHead(head, head.target.length).read()).toEqual(head);
  });

  it('costs its start line once, and its lines twice', () => {
    const fields = [['Content-Length', '3']] as const;
    expect(new KeptHead({ fields }, 100).length).toBe(100 + 2 * 'Content-Length\n3\n'.length);
  });
});
