import { describe, expect, it } from 'vitest';
import type { FieldLines } from '../../src/http/field-line.ts';
import { forwardableFields } from '../../src/http/hop-by-hop.ts';

describe('forwardableFields()', () => {
  it('keeps end-to-end fields in their original order and case', () => {
    const fields: FieldLines = [
      ['Host', 'a.test'],
      ['X-B', '1'],
      ['Trailer', 'X-Sum'],
      ['x-b', '2'],
      ['Proxy-Authorization', 'Basic x'],
    ];
    expect(forwardableFields(fields)).toEqual(fields);
  });

  it('drops the fixed hop-by-hop fields even when Connection does not list them (RFC 9110 7.6.1)', () => {
    const names = ['Keep-Alive', 'PROXY-connection', 'te', 'Transfer-Encoding', 'Upgrade', 'HTTP2-Settings'];
    expect(forwardableFields(names.map((name) => [name, 'x'] as const))).toEqual([]);
  });

  it('drops the fields that Connection lists, over all its lines and whatever their case', () => {
    const fields: FieldLines = [
      ['Connection', 'X-Hop, close'],
      ['x-hop', '1'],
      ['Accept', '*/*'],
      ['CONNECTION', ' x-other '],
      ['X-Other', '2'],
    ];
    expect(forwardableFields(fields)).toEqual([['Accept', '*/*']]);
  });

  it('ignores options that name essential end-to-end fields', () => {
    const fields: FieldLines = [
      ['Host', 'a.test'],
      ['Content-Length', '3'],
      ['Cookie', 'a=b'],
    ];
    expect(forwardableFields([['Connection', 'host, Content-Length, cookie'], ...fields])).toEqual(fields);
  });

  it('accepts exactly maxOptions options, not counting empty list elements', () => {
    expect(forwardableFields([['Connection', 'a,,b']], 2)).toEqual([]);
  });

  it('rejects one option more than maxOptions, with the code of the side that sent it', () => {
    const fields: FieldLines = [['Connection', 'a,b,c']];
    expect(() => forwardableFields(fields, 2)).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_REQUEST_INVALID', count: 3 }),
    );
    expect(() => forwardableFields(fields, 2, 'GIR_ERR_ORIGIN_PROTOCOL')).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_ORIGIN_PROTOCOL' }),
    );
  });
});
