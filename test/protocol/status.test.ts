import { describe, expect, it } from 'vitest';
import { decodeStatus, encodeStatus } from '../../src/protocol/handshake.ts';

describe('STATUS', () => {
  it('comes out as it went in', () => {
    const status = { sequence: 7, down: ['app.test'] };
    expect(decodeStatus(encodeStatus(status))).toEqual(status);
  });

  it.each([
    ['no JSON', 'x'],
    ['no sequence', '{"down":[]}'],
    ['a name that is empty', '{"sequence":1,"down":[""]}'],
    ['101 names', JSON.stringify({ sequence: 1, down: Array.from({ length: 101 }, () => 'a') })],
  ])('with %s is refused', (_what, text) => {
    expect(() => decodeStatus(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'GIR_ERR_PROTOCOL' }));
  });
});
