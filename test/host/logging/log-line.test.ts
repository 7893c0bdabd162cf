import { describe, expect, it } from 'vitest';
import { jsonLine, prettyLine } from '../../../src/host/logging/log-line.ts';

const token = `grf_${'a'.repeat(43)}`;

describe('log lines', () => {
  const hostile = { level: 30, time: 0, path: 'a\u001b[2J\r\nFAKE\u009b', msg: 'exchange ended', status: 200 };

  it('are JSON in which no control character is left', () => {
    const line = jsonLine(`${JSON.stringify(hostile)}\n`);
    expect(line).toMatch(/^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*\n$/);
    expect(JSON.parse(line)).toEqual(hostile);
  });

  it('read for people: time, level, message, fields', () => {
    expect(prettyLine(JSON.stringify({ level: 40, time: 0, msg: 'slow', path: '/x', count: 2, name: 'a b' }))).toBe(
      '00:00:00.000 WARN  slow path=/x count=2 name="a b"\n',
    );
  });

  it('for people hold no control character either', () => {
    expect(prettyLine(JSON.stringify(hostile))).toMatch(/^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*\n$/);
  });

  it('tell the message and code of an error and hide a token', () => {
    const line = prettyLine(JSON.stringify({ level: 50, time: 0, msg: 'x', err: { code: 'E', message: token } }));
    expect(line).toBe('00:00:00.000 ERROR x error="E: [redacted]"\n');
  });
});
