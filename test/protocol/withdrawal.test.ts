import { describe, expect, it } from 'vitest';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { decodeWithdrawal, encodeWithdrawal } from '../../src/protocol/handshake.ts';

describe('WITHDRAW', () => {
  it('comes out as it went in, a reason that is too long cut', () => {
    const reason = new GiraffeError('GIR_ERR_DISCONNECTED', 'x'.repeat(1000));
    const { endpoint, reason: read } = decodeWithdrawal(encodeWithdrawal({ endpoint: 'app.test', reason }));
    expect([endpoint, read.code, read.message]).toEqual(['app.test', 'GIR_ERR_DISCONNECTED', 'x'.repeat(500)]);
  });

  it('may have a reason of a later release', () => {
    const { reason } = decodeWithdrawal(Buffer.from('{"endpoint":"app.test","reason":"GIR_ERR_NEW"}'));
    expect(reason.code).toBe('GIR_ERR_INTERNAL');
  });

  it.each([
    ['no JSON', 'x'],
    ['no reason', '{"endpoint":"a.test"}'],
    ['an empty name', '{"endpoint":"","reason":"GIR_ERR_DISCONNECTED"}'],
    ['a name that is too long', JSON.stringify({ endpoint: 'a'.repeat(254), reason: '' })],
    ['a reason that is too long', JSON.stringify({ endpoint: 'a.test', reason: 'x'.repeat(601) })],
  ])('with %s is refused', (_what, text) => {
    expect(() => decodeWithdrawal(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'GIR_ERR_PROTOCOL' }));
  });
});
