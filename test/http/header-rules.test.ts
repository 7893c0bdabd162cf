import { describe, expect, it } from 'vitest';
import { createHeaderEdit, isRuleField, isRuleValue } from '../../src/http/header-rules.ts';

describe('isRuleField()', () => {
  it.each(['X-Any', 'cookie', 'Set-Cookie', 'Authorization', 'X-Forwarded-For'])('lets rules touch %s', (name) => {
    expect(isRuleField(name, 'request')).toBe(true);
  });

  it.each([
    'Content-Length',
    'transfer-encoding',
    'Connection',
    'Upgrade',
    'TE',
    'Trailer',
    'Via',
    'Expect',
    'Sec-WebSocket-Accept',
    'Keep-Alive',
    'bad name',
    '',
    'x'.repeat(101),
  ])('keeps rules off %j', (name) => {
    expect([isRuleField(name, 'request'), isRuleField(name, 'response')]).toEqual([false, false]);
  });

  it('keeps request rules off Host', () => {
    expect(isRuleField('HOST', 'request')).toBe(false);
  });
});

describe('isRuleValue()', () => {
  it('takes what a field may hold, and no line break, control character or outer white space', () => {
    expect(['a', 'a\tb c', 'é'].map(isRuleValue)).toEqual([true, true, true]);
    expect(['', ' a', 'a ', 'a\r\nX: y', 'a\0', 'Ā', 'x'.repeat(4097)].map(isRuleValue)).toEqual(
      Array.from({ length: 7 }, () => false),
    );
  });
});

describe('createHeaderEdit()', () => {
  it('removes, sets and adds, and leaves all other lines as they are', () => {
    const edit = createHeaderEdit({ remove: ['X-Gone'], set: { 'x-one': '1' }, add: { Cookie: 'b=2' } });
    const fields = [
      ['X-ONE', 'a'],
      ['Keep', 'k'],
      ['x-gone', 'g'],
      ['X-One', 'b'],
      ['Cookie', 'a=1'],
    ] as const;
    expect(edit?.(fields)).toEqual([
      ['Keep', 'k'],
      ['Cookie', 'a=1'],
      ['x-one', '1'],
      ['Cookie', 'b=2'],
    ]);
  });

  it('is nothing for rules that do nothing', () => {
    expect(createHeaderEdit(undefined)).toBeUndefined();
    expect(createHeaderEdit({ remove: [], set: {}, add: {} })).toBeUndefined();
  });
});
