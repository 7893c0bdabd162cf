import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clockFinding } from '../../src/doctor/clock.ts';
import { checkNode, checkStateFolder } from '../../src/doctor/machine-checks.ts';
import { tlsFailure } from '../../src/doctor/tls-findings.ts';
import { checkToken } from '../../src/doctor/token-check.ts';
import { openStateFolder } from '../../src/state/state-folder.ts';
import { openTokenStore } from '../../src/state/token-store.ts';
import { createTemporaryFolder } from '../state/temporary-folder.ts';

describe('checkNode()', () => {
  it.each([
    ['18.20.0', 'failed'],
    ['20.18.9', 'failed'],
    ['20.19.0', 'warning'],
    ['22.0.0', 'ok'],
    ['26.1.0', 'ok'],
  ])('calls %s %s', (version, status) => {
    expect(checkNode(version)).toMatchObject({ status });
  });

  it('O5 sends nobody who has a version that works to an older one', () => {
    expect(checkNode('20.20.2').next).not.toContain('20.19');
  });
});

describe('clockFinding()', () => {
  const date = 'Thu, 01 Jan 2026 12:00:00 GMT';
  const at = Date.parse(date);
  it.each([
    [0, 'ok', 'agrees with that of the edge'],
    [-5_000, 'warning', '6 s behind the clock of the edge'],
    [58_000, 'warning', '58 s ahead of the clock of the edge'],
    [61_000, 'failed', '61 s ahead of the clock of the edge'],
    [-3 * 86_400_000, 'failed', '3 days behind the clock of the edge'],
  ])('calls an answer that came %i ms after its Date %s', (late, status, saw) => {
    const sample = { askedAt: at + late - 20, answeredAt: at + late + 20, date };
    expect(clockFinding(sample)).toMatchObject({ status, saw });
  });

  it.each([undefined, 'yesterday'])('skips the answer whose Date is %s, and nothing else', (none) => {
    expect(clockFinding({ askedAt: at, answeredAt: at, date: none })).toMatchObject({
      status: 'skipped',
      blocks: false,
    });
  });
});

describe('tlsFailure()', () => {
  it.each([
    ['CERT_HAS_EXPIRED', 'GIR_ERR_EDGE_CERTIFICATE', /^Renew the certificate/],
    ['CERT_NOT_YET_VALID', 'GIR_ERR_EDGE_CERTIFICATE', /clock/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'GIR_ERR_EDGE_CERTIFICATE', /--public-host/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'GIR_ERR_EDGE_UNREACHABLE', /does not speak TLS/],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'GIR_ERR_EDGE_CERTIFICATE', /Pass the CA of this very edge/],
  ])('says what to do about %s', (code, kind, next) => {
    const error = Object.assign(new Error('no'), { code });
    expect(tlsFailure(error, 'edge:4444', 'ca')).toMatchObject({
      status: 'failed',
      code: kind,
      next: expect.stringMatching(next),
    });
  });
});

describe('checkToken()', () => {
  const token = { source: 'that of GIRAFFE_TOKEN', isLeftByEdge: false, stateDir: undefined };
  const jwt = (exp: number): string =>
    `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.x`;
  it.each([
    ['a whole one', `grf_${'A'.repeat(43)}`, 'ok'],
    ['a cut one', `grf_${'A'.repeat(42)}`, 'failed'],
    ['the admin token', `gra_${'A'.repeat(43)}`, 'failed'],
    ['a JSON Web Token that holds', jwt(2_000), 'ok'],
    ['a JSON Web Token that has ended', jwt(999), 'failed'],
    ['a damaged JSON Web Token', 'eyJ.x.y', 'failed'],
    ['one of another kind', 'opaque', 'ok'],
    ['none, for a certificate', '', 'ok'],
    ['none at all', undefined, 'failed'],
  ])('S7 judges %s, and quotes nothing of it', async (_what, value, status) => {
    const finding = await checkToken({ ...token, value }, 1_000_000);
    expect(finding).toMatchObject({ status });
    expect(`${finding.saw} ${finding.next}`).not.toMatch(/AAAA|eyJ|opaque/);
  });

  it('asks the records of the edge beside it, and changes nothing there', async () => {
    const path = await createTemporaryFolder();
    await using folder = await openStateFolder(path);
    const store = await openTokenStore(folder);
    const { secret } = await store.createToken({ name: 'web', endpoints: ['app.test'], expiresAt: new Date(5000) });
    const here = { ...token, value: secret, stateDir: path };
    expect(await checkToken(here, 4000)).toMatchObject({
      status: 'ok',
      saw: expect.stringContaining('web, for app.test'),
    });
    expect(await checkToken(here, 5000)).toMatchObject({ status: 'failed', saw: expect.stringContaining('expired') });
    const unknown = `grf_${'A'.repeat(43)}`;
    expect(await checkToken({ ...here, value: unknown }, 4000)).toMatchObject({ status: 'warning' });
    expect(await checkToken({ ...here, value: unknown, isLeftByEdge: true }, 4000)).toMatchObject({ status: 'failed' });
  });
});

describe('checkStateFolder()', () => {
  it('wants one only where something needs it', async () => {
    const path = join(await createTemporaryFolder(), 'none');
    expect(await checkStateFolder({ path, isNeeded: false })).toMatchObject({ status: 'ok' });
    expect(await checkStateFolder({ path, isNeeded: true })).toMatchObject({ status: 'warning', blocks: true });
  });

  it('refuses a file in its place', async () => {
    const path = new URL(import.meta.url).pathname;
    expect(await checkStateFolder({ path, isNeeded: true })).toMatchObject({ status: 'failed', code: 'GIR_ERR_STATE' });
  });
});
