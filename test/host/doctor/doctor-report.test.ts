import { describe, expect, it } from 'vitest';
import { checkIds, checks } from '../../../src/doctor/catalogue.ts';
import type { CheckResult } from '../../../src/doctor/check.ts';
import { withoutSecrets } from '../../../src/host/doctor/doctor-bundle.ts';
import { checkLines, createDoctorReport, summary } from '../../../src/host/doctor/doctor-report.ts';

function result(id: CheckResult['id'], part: Partial<CheckResult> = {}): CheckResult {
  const { why, next } = checks[id];
  const rest = { code: undefined, blockedBy: undefined, fixed: undefined, durationMs: 1 };
  return { id, status: 'failed', saw: 'it is not there', why, next, ...rest, ...part };
}

describe('checkLines()', () => {
  it.each(checkIds)('O5 says of %s what was seen, why it matters and one next step, within 80 columns', (id) => {
    const lines = checkLines(result(id), 80);
    const text = lines.join(' ').replace(/\s+/g, ' ');
    for (const part of [checks[id].title, 'it is not there', `Why: ${checks[id].why}`, `Next: ${checks[id].next}`]) {
      expect(text).toContain(part);
    }
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('takes one line when all is well', () => {
    expect(checkLines(result('dns', { status: 'ok', saw: 'a.test is 192.0.2.1', next: undefined }), 80)).toEqual([
      '  ✔ DNS                  a.test is 192.0.2.1',
    ]);
  });

  it('S7 lets no control character and no token through', () => {
    const saw = `\u001b[31mred\u0007 grf_${'A'.repeat(43)}`;
    expect(checkLines(result('dns', { saw }), 80).join('')).toContain('\\u001b[31mred\\u0007 [redacted]');
  });
});

describe('the report for programs', () => {
  it('O6 is one event per check and one for all', async () => {
    const lines: string[] = [];
    const output = { out: (line: string) => void lines.push(line), err: () => {}, isInteractive: false };
    const report = await createDoctorReport(output, true);
    report.show(result('dns', { code: 'GIR_ERR_EDGE_UNREACHABLE' }));
    const counts = { ok: 0, warning: 0, failed: 1, skipped: 0 };
    report.end({ counts, results: [], bundle: undefined, isBare: false });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        v: 1,
        event: 'check',
        check: 'dns',
        status: 'failed',
        saw: 'it is not there',
        why: checks.dns.why,
        next: checks.dns.next,
        code: 'GIR_ERR_EDGE_UNREACHABLE',
        durationMs: 1,
      },
      { v: 1, event: 'doctor', healthy: false, ...counts },
    ]);
  });
});

describe('summary()', () => {
  it('leaves out what is nought', () => {
    expect(summary({ ok: 3, warning: 0, failed: 0, skipped: 0 })).toBe('Nothing failed: 3 ok.');
    expect(summary({ ok: 3, warning: 1, failed: 2, skipped: 4 })).toBe(
      'Something is wrong: 3 ok, 1 warning, 2 failed, 4 skipped.',
    );
  });
});

describe('withoutSecrets()', () => {
  it.each([
    ['Authorization: Bearer abc', 'Authorization: [redacted]'],
    ['"set-cookie":"sid=1; Path=/","status":200', '"set-cookie":[redacted],"status":200'],
    ['Cookie = a=1; b=2', 'Cookie = [redacted]'],
    ['{"token": "opaque", "status": 200}', '{"token": "[redacted]", "status": 200}'],
    ['https://user:pass@example.com/', 'https://[redacted]@example.com/'],
    [`sent grf_${'A'.repeat(43)}`, 'sent [redacted]'],
    ['knows hunter2 well', 'knows [redacted] well'],
    ['there is no token: set GIRAFFE_TOKEN', 'there is no token: set GIRAFFE_TOKEN'],
  ])('S7 makes of %j %j', (line, expected) => {
    expect(withoutSecrets(line, ['hunter2'])).toBe(expected);
  });
});
