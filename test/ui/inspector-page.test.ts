import { describe, expect, it } from 'vitest';
import type { ExchangeSummary } from '../../src/inspector/exchange-view.ts';
import { contentOf, hexDump, jsonTokens } from '../../ui/inspector/body-text.ts';
import { withLineEnds } from '../../ui/inspector/edited-text.ts';
import { filtered } from '../../ui/inspector/filter.ts';
import { applyEvent } from '../../ui/inspector/list-event.ts';
import { phasesOf } from '../../ui/inspector/phases.ts';

function exchange(facts: Partial<ExchangeSummary>): ExchangeSummary {
  return {
    id: 'a-1',
    revision: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    endpoint: 'app.test',
    target: 'http://localhost:3000',
    carrier: 'grpc',
    method: 'GET',
    path: '/',
    status: 200,
    code: undefined,
    failureStatus: undefined,
    isLive: false,
    durationMs: 1,
    requestBytes: 0,
    responseBytes: 0,
    contentType: 'text/html',
    protocol: undefined,
    messageCount: undefined,
    replayOf: undefined,
    ...facts,
  };
}

describe('the search', () => {
  const all = [
    exchange({ id: 'a-4', path: '/login', method: 'POST', status: 302 }),
    exchange({ id: 'a-3', path: '/assets/app.js', contentType: 'text/javascript' }),
    exchange({ id: 'a-2', path: '/broken', status: undefined, code: 'GIR_ERR_ORIGIN_REFUSED', failureStatus: 502 }),
    exchange({ id: 'a-1', path: '/chat', status: 101, protocol: 'websocket', isLive: true }),
  ];

  it.each([
    ['', ['a-4', 'a-3', 'a-2', 'a-1']],
    ['  LOGIN  post ', ['a-4']],
    ['status:3xx', ['a-4']],
    ['status:1', ['a-1']],
    ['status:5xx', ['a-2']],
    ['status:502', ['a-2']],
    ['method:get -path:/assets', ['a-2', 'a-1']],
    ['type:javascript', ['a-3']],
    ['origin_refused', ['a-2']],
    ['path:post', []],
    ['http://x', []],
    ['constructor:x', []],
  ])('%j', (search, ids) => {
    expect(filtered(all, search, 'all').map(({ id }) => id)).toEqual(ids);
  });

  it.each([
    ['errors', ['a-2']],
    ['websockets', ['a-1']],
    ['live', ['a-1']],
  ] as const)('shows %s alone', (kind, ids) => {
    expect(filtered(all, '', kind).map(({ id }) => id)).toEqual(ids);
  });

  it('does not take a client that went away for an error', () => {
    expect(filtered([exchange({ code: 'GIR_ERR_CANCELLED' })], '', 'errors')).toEqual([]);
  });
});

describe('the live list', () => {
  it('keeps the latest first, by number, and replaces what changed', () => {
    const list = [exchange({ id: 'a-9' }), exchange({ id: 'a-8' })];
    const changed = [exchange({ id: 'a-10' }), exchange({ id: 'a-8', status: 500 })];
    const next = applyEvent(list, { isWhole: false, changed, dropped: ['a-9', 'a-1'] });
    expect(next.map(({ id, status }) => [id, status])).toEqual([
      ['a-10', 200],
      ['a-8', 500],
    ]);
  });

  it('forgets everything when the agent tells the whole anew', () => {
    const next = applyEvent([exchange({ id: 'a-9' })], {
      isWhole: true,
      changed: [exchange({ id: 'b-1' })],
      dropped: [],
    });
    expect(next.map(({ id }) => id)).toEqual(['b-1']);
  });
});

describe('a body', () => {
  const base64 = (text: string | Uint8Array) => Buffer.from(text).toString('base64');

  it.each([
    ['{"a":1}', 'application/json', ['pretty', 'text', 'hex']],
    ['{"a":1}', 'text/plain', ['pretty', 'text', 'hex']],
    ['{"a":', 'application/json', ['text', 'hex']],
    ['"a"', 'application/problem+json; charset=utf-8', ['pretty', 'text', 'hex']],
    ['a=1', 'application/x-www-form-urlencoded', ['form', 'text', 'hex']],
    ['<svg/>', 'image/svg+xml', ['image', 'text', 'hex']],
    [new Uint8Array([0xff, 0xfe]), '', ['hex']],
    ['a\0b', 'text/plain', ['hex']],
    ['\x07\x07', 'application/octet-stream', ['hex', 'text']],
    ['8=FIX\x01', 'text/plain', ['hex', 'text']],
    ['\x1b[1mbold\x1b[0m\r\n', 'text/plain', ['text', 'hex']],
    ['x', 'text/plain; charset=no-such', ['hex']],
  ])('%j as %s', (body, contentType, modes) => {
    expect(contentOf(base64(body), contentType).modes).toEqual(modes);
  });

  it('is read in its own charset, and may end within a character', () => {
    expect(contentOf(base64(new Uint8Array([0xe9])), 'text/plain; charset=iso-8859-1').text).toBe('é');
    expect(contentOf(base64(new Uint8Array([0x61, 0xc3])), 'text/plain').text).toBe('a');
  });

  it('is coloured piece by piece, and loses nothing by it', () => {
    const value = { 'a"b': ['x: 1', -1.5e10, true, null, {}], é: '' };
    const tokens = jsonTokens(value);
    expect(tokens.map(({ text }) => text).join('')).toBe(JSON.stringify(value, undefined, 2));
    expect(tokens.filter(({ tone }) => tone !== undefined).map(({ text, tone }) => [text, tone])).toEqual([
      [String.raw`"a\"b"`, 'key'],
      ['"x: 1"', 'string'],
      ['-15000000000', 'number'],
      ['true', 'word'],
      ['null', 'word'],
      ['"é"', 'key'],
      ['""', 'string'],
    ]);
  });

  it('has octets with their offset and characters', () => {
    expect(hexDump(Buffer.from('giraffe!\0ABCDEFGh')).split('\n')).toEqual([
      '000000  67 69 72 61 66 66 65 21 00 41 42 43 44 45 46 47  giraffe!·ABCDEFG',
      `000010  68${' '.repeat(45)}  h`,
    ]);
    expect(hexDump(Buffer.alloc(5000))).toMatch(/\n… 904 more octets$/);
  });
});

describe('the time per hop', () => {
  it('adds up to the whole, whatever is missing', () => {
    const times = { connectedMs: undefined, requestEndMs: undefined, headMs: undefined, endMs: undefined };
    const facts = { times, isReused: false, durationMs: 100, protocol: undefined, status: undefined };
    expect(phasesOf(facts).map(({ tone, ms }) => [tone, ms])).toEqual([['connect', 100]]);
    const whole = { ...facts, status: 200, times: { connectedMs: 10, requestEndMs: 5, headMs: 40, endMs: 100 } };
    expect(phasesOf(whole).map(({ tone, ms }) => [tone, ms])).toEqual([
      ['connect', 10],
      ['wait', 30],
      ['receive', 60],
    ]);
    // The answer came before the request was whole.
    const early = { ...whole, times: { connectedMs: 10, requestEndMs: 90, headMs: 40, endMs: 100 } };
    expect(phasesOf(early).map(({ tone, ms }) => [tone, ms])).toEqual([
      ['connect', 10],
      ['send', 30],
      ['receive', 60],
    ]);
  });
});

describe('withLineEnds()', () => {
  const form = '--x\r\nA: b\r\n\r\none\ntwo\r\n--x--\r\n';
  const field = form.replaceAll('\r\n', '\n');

  it.each([
    ['nothing', field, form],
    ['a line with another end than most', field.replace('one', '1'), form.replace('one', '1')],
    ['its first line', field.replace('--x', '--y'), form.replace('--x', '--y')],
    ['a new line', field.replace('A: b', 'A: b\nC: d'), form.replace('A: b', 'A: b\r\nC: d')],
    ['a line taken out', field.replace('two\n', ''), form.replace('two\r\n', '')],
    ['all', '', ''],
    ['something at its end', `${field}more`, `${form}more`],
  ])('keeps the line ends of what was not edited: %s', (_what, edited, expected) => {
    expect(withLineEnds(form, edited)).toBe(expected);
  });

  it('leaves a text alone that has none but LF', () => {
    expect(withLineEnds('a\nb', 'a\nb\nc')).toBe('a\nb\nc');
  });
});
