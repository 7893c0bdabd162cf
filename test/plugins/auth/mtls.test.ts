import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthDecision } from '../../../src/extension/index.ts';
import { createMtlsProvider, mtls } from '../../../src/plugins/auth/mtls.ts';
import { certificatePin } from '../../../src/state/certificate-pin.ts';
import { createTemporaryFolder } from '../../state/temporary-folder.ts';
import { type CertificateRequest, type ClientCa, createClientCa } from '../../support/client-certificates.ts';

const signal = new AbortController().signal;
let ca: ClientCa;
beforeAll(async () => {
  ca = await createClientCa();
});
afterAll(async () => ca[Symbol.asyncDispose]());

const der = (pem: string): Buffer => new X509Certificate(pem).raw;

async function decide(
  rules: readonly object[],
  request: CertificateRequest,
  issuer = ca,
): Promise<AuthDecision | undefined> {
  const { authenticateAgent } = await createMtlsProvider(mtls.options.parse({ caFile: ca.file, agents: rules }), '/');
  const { certPem } = await issuer.issue(request);
  return authenticateAgent?.({ token: '', address: '', certificate: [der(certPem), der(issuer.certPem)] }, signal);
}

describe('mtls', () => {
  it.each<[string, object, CertificateRequest]>([
    ['commonName', { commonName: 'laptop' }, { commonName: 'laptop' }],
    ['dnsName', { dnsName: 'a.agents.test' }, { commonName: 'x', names: [{ type: 'dns', value: 'A.agents.test' }] }],
    ['email', { email: 'ann@test' }, { commonName: 'x', names: [{ type: 'email', value: 'ann@test' }] }],
    ['uri', { uri: 'spiffe://test/a,b' }, { commonName: 'x', names: [{ type: 'url', value: 'spiffe://test/a,b' }] }],
    ['nothing but its CA', {}, { commonName: 'x' }],
  ])('lets a certificate in by %s', async (_case, rule, request) => {
    expect(await decide([{ ...rule, endpoints: ['a.test'] }], request)).toMatchObject({
      kind: 'allow',
      endpoints: ['a.test'],
    });
  });

  it('S2 does not take one name for another', async () => {
    const names = [{ type: 'url', value: 'https://x/, DNS:a.agents.test' }] as const;
    const rules = [{ dnsName: 'a.agents.test', endpoints: ['*'] }];
    expect(await decide(rules, { commonName: 'a.agents.test', names })).toMatchObject({ kind: 'deny' });
  });

  it('goes by the fingerprint, and names the principal after it', async () => {
    const { certPem } = await ca.issue({ commonName: 'x' });
    const fingerprint = certificatePin(der(certPem));
    const ask = async (rule: object) => {
      const provider = await createMtlsProvider(mtls.options.parse({ caFile: ca.file, agents: [rule] }), '/');
      const certificate = [der(certPem), der(ca.certPem)];
      return provider.authenticateAgent?.({ token: '', address: '', certificate }, signal);
    };
    expect(await ask({ fingerprint, endpoints: ['a.test'] })).toMatchObject({ kind: 'allow', principal: fingerprint });
    expect(await ask({ fingerprint: `sha256:${'0'.repeat(64)}`, endpoints: ['a.test'] })).toMatchObject({
      kind: 'deny',
    });
  });

  it('adds up the rules that fit, and fills in names', async () => {
    const rules = [
      { endpoints: ['{commonName}.agents.test'] },
      { commonName: 'laptop', endpoints: ['a.test', '*.b.test'] },
      { commonName: 'other', endpoints: ['*'] },
    ];
    expect(await decide(rules, { commonName: 'laptop' })).toMatchObject({
      endpoints: ['laptop.agents.test', 'a.test', '*.b.test'],
    });
  });

  it('lets a session live as long as its certificate', async () => {
    const notAfter = new Date('2099-01-01T00:00:00Z');
    const decision = await decide([{ endpoints: ['*'] }], { commonName: 'x', notAfter });
    expect(decision).toMatchObject({ kind: 'allow', expiresAt: notAfter });
  });

  it('leaves agents without a certificate, or with one of another CA, to other providers', async () => {
    await using other = await createClientCa();
    const rules = [{ endpoints: ['*'] }];
    expect(await decide(rules, { commonName: 'x' }, other)).toEqual({ kind: 'unknown' });
    const { authenticateAgent } = await createMtlsProvider(mtls.options.parse({ caFile: ca.file, agents: rules }), '/');
    expect(await authenticateAgent?.({ token: 't', address: '', certificate: undefined }, signal)).toEqual({
      kind: 'unknown',
    });
  });

  it('names a CA file that cannot be used, relative to the configuration file', async () => {
    const caFile = join(await createTemporaryFolder(), 'ca.pem');
    await writeFile(caFile, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const make = createMtlsProvider({ caFile: 'ca.pem', agents: [{ endpoints: ['*'] }] }, dirname(caFile));
    await expect(make).rejects.toThrow(`${caFile} holds no PEM certificate`);
  });
});
