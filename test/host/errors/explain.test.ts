import { describe, expect, it } from 'vitest';
import { type CheckEntry, checkIds, checks } from '../../../src/doctor/catalogue.ts';
import { codes, type ErrorCode } from '../../../src/errors/codes.ts';
import { explain, findName } from '../../../src/host/errors/explain.ts';

function told(name: string | undefined, json = false): string[] {
  const lines: string[] = [];
  const output = { out: (line: string) => void lines.push(line), err: () => {}, isInteractive: false };
  expect(explain(name, { output, json })).toBe(0);
  return lines;
}

describe('giraffe explain', () => {
  it.each(Object.keys(codes) as ErrorCode[])('O6 tells what %s means, whose side it is and what to do next', (code) => {
    const { summary, fix, status, proxyStatus, side } = codes[code];
    const text = told(code).join(' ').replace(/\s+/g, ' ');
    for (const part of [summary, fix, String(status), proxyStatus, side]) expect(text).toContain(part);
  });

  it.each(checkIds)('O6 tells what the check %s looks at, why, and what to do next', (id) => {
    const { looksAt, why, next } = checks[id];
    const text = told(id).join(' ').replace(/\s+/g, ' ');
    for (const part of [looksAt, why, next]) expect(text).toContain(part);
  });

  it.each([
    ['gir_err_loop', 'GIR_ERR_LOOP'],
    ['origin-refused', 'GIR_ERR_ORIGIN_REFUSED'],
    ['No_Upstream', 'GIR_ERR_NO_UPSTREAM'],
    ['GRPC-Health', 'grpc-health'],
    ['round_trip', 'round-trip'],
  ])('O6 takes %s for %s', (typed, name) => {
    expect(findName(typed)).toBe(name);
  });

  it.each([
    ['GIR_ERR_NO_UPSTRAEM', 'GIR_ERR_NO_UPSTREAM'],
    ['certificate-nams', 'certificate-names'],
    ['gir_err_no', 'there is GIR_ERR_'],
    ['upstream', 'there is GIR_ERR_NO_UPSTREAM'],
    ['503', 'a status of 503 can be GIR_ERR_'],
    ['504', 'GIR_ERR_RESPONSE_TIMEOUT'],
    ['xyzzy', '`giraffe explain` alone lists all'],
    ['', '`giraffe explain` alone lists all'],
  ])('O6 refuses %j and says what it may mean, %s', (typed, nearest) => {
    expect(() => findName(typed)).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_USAGE', message: expect.stringContaining(nearest) }),
    );
  });

  it('O6 lists every code and check without a name, within 80 columns', () => {
    const lines = told(undefined);
    for (const name of [...Object.keys(codes), ...checkIds])
      expect(lines.join('\n')).toMatch(new RegExp(`^  ${name}( |$)`, 'm'));
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('O6 prints one event per name with --json', () => {
    const events = told(undefined, true).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events).toHaveLength(Object.keys(codes).length + checkIds.length);
    for (const event of events) expect(event).toMatchObject({ v: 1, event: 'explanation', next: expect.any(String) });
  });
});

describe('the table of checks', () => {
  it('names only checks that exist and come earlier in the report, or are waited for', () => {
    for (const id of checkIds) {
      const { needs, needsOneOf, after }: CheckEntry = checks[id];
      for (const other of [...needs, ...needsOneOf, ...after]) expect(checkIds).toContain(other);
    }
  });

  it.each(checkIds)('describes %s in sentences and a title that fits its column', (id) => {
    const { title, looksAt, why, next } = checks[id];
    expect(title.length).toBeLessThanOrEqual(20);
    for (const text of [looksAt, why, next]) expect(text).toMatch(/^[\p{Lu}`"].*[.?)]$/u);
  });
});
