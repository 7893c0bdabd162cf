/** S1, S2: client certificates of agents, over real TLS on both tunnel ports. */

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthProvider } from '../../src/extension/index.ts';
import { createMtlsProvider, mtls } from '../../src/plugins/auth/mtls.ts';
import { certificatePin } from '../../src/state/certificate-pin.ts';
import { type ClientCa, createClientCa, type IssuedCertificate } from '../support/client-certificates.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { startTestAgent, startTestEdge, type TestEdge, testToken, tokenProvider } from '../support/world.ts';

let ca: ClientCa;
let certificate: IssuedCertificate;
beforeAll(async () => {
  ca = await createClientCa();
  certificate = await ca.issue({ commonName: 'laptop' });
});
afterAll(async () => ca[Symbol.asyncDispose]());

function provider(): Promise<AuthProvider> {
  const agents = [{ commonName: 'laptop', endpoints: ['a.test'] }];
  return createMtlsProvider(mtls.options.parse({ caFile: ca.file, agents }), '/');
}

async function startMtlsEdge(): Promise<TestEdge> {
  return startTestEdge({}, { authProviders: [{ name: 'mtls', provider: await provider() }] });
}

describe('client certificates', () => {
  it.each(['auto', 'grpc', 'tcp'] as const)('S2 open what their rule says (transport %s)', async (transport) => {
    await using edge = await startMtlsEdge();
    const settings = { token: '', clientCertificate: certificate, transport };
    await using agent = await startTestAgent(edge.edge.ports, 'a.test', '1', settings);
    expect(agent.events.some(({ type }) => type === 'closed')).toBe(false);
    await using foreign = await startTestAgent(edge.edge.ports, 'b.test', '1', { ...settings, waits: false });
    await expect(foreign.agent.ready).rejects.toMatchObject({ code: 'GIR_ERR_ENDPOINT_REFUSED' });
  });

  it('go together with a pinned CA of the edge', async () => {
    await using edge = await startMtlsEdge();
    const pin = certificatePin(new X509Certificate((await testCertificate()).caPem).raw);
    await using agent = await startTestAgent(edge.edge.ports, 'a.test', '1', {
      token: '',
      clientCertificate: certificate,
      trust: { kind: 'pin', pin },
    });
    expect(agent.events.some(({ type }) => type === 'ready')).toBe(true);
  });

  describe.each(['grpc', 'tcp'] as const)('over %s', (transport) => {
    it.each<[string, () => Promise<IssuedCertificate | undefined>]>([
      ['none', async () => undefined],
      ['one without a rule', () => ca.issue({ commonName: 'other' })],
      ['one that has expired', () => ca.issue({ commonName: 'laptop', notAfter: new Date(Date.now() - 60_000) })],
      ['one that is not valid yet', () => ca.issue({ commonName: 'laptop', notBefore: new Date(Date.now() + 60_000) })],
      [
        'one of another CA',
        async () => {
          await using other = await createClientCa();
          return other.issue({ commonName: 'laptop' });
        },
      ],
    ])('S2 an agent with %s is refused', async (_case, issue) => {
      await using edge = await startMtlsEdge();
      const settings = { token: '', clientCertificate: await issue(), transport, waits: false };
      await using agent = await startTestAgent(edge.edge.ports, 'a.test', '1', settings);
      await expect(agent.agent.ready).rejects.toMatchObject({ code: 'GIR_ERR_CREDENTIALS_REFUSED' });
      expect(edge.log.filter(({ message }) => message === 'session opened')).toEqual([]);
    });
  });

  it('S2 of the CA of one provider mean nothing to another one', async () => {
    await using other = await createClientCa();
    const agents = [{ endpoints: ['b.test'] }];
    const second = await createMtlsProvider(mtls.options.parse({ caFile: other.file, agents }), '/');
    await using edge = await startTestEdge(
      {},
      {
        authProviders: [
          { name: 'mtls', provider: await provider() },
          { name: 'mtls', provider: second },
        ],
      },
    );
    const settings = { token: '', clientCertificate: certificate, waits: false };
    await using agent = await startTestAgent(edge.edge.ports, 'b.test', '1', settings);
    await expect(agent.agent.ready).rejects.toMatchObject({ code: 'GIR_ERR_ENDPOINT_REFUSED' });
    const foreign = await other.issue({ commonName: 'x' });
    await using welcome = await startTestAgent(edge.edge.ports, 'b.test', '1', {
      token: '',
      clientCertificate: foreign,
    });
    expect(welcome.events.some(({ type }) => type === 'ready')).toBe(true);
  });

  it('are asked for only while a provider wants them, also one that comes later', async () => {
    const byToken = { name: 'test', provider: tokenProvider(async (token) => owner(token)) };
    await using edge = await startTestEdge({}, { authProviders: [byToken] });
    const settings = { token: '', clientCertificate: certificate };
    await using early = await startTestAgent(edge.edge.ports, 'a.test', '1', { ...settings, waits: false });
    await expect(early.agent.ready).rejects.toMatchObject({ code: 'GIR_ERR_CREDENTIALS_REFUSED' });
    await using plain = await startTestAgent(edge.edge.ports, 'b.test', '1');
    edge.edge.changeAuthProviders([byToken, { name: 'mtls', provider: await provider() }]);
    await using late = await startTestAgent(edge.edge.ports, 'a.test', '1', settings);
    // A new certificate of the edge does not make it forget whom it asks.
    edge.edge.reload(await testCertificate());
    await using later = await startTestAgent(edge.edge.ports, 'a.test', '1', settings);
    const agents = [plain, late, later];
    expect(agents.flatMap(({ events }) => events).filter(({ type }) => type === 'closed')).toEqual([]);
  });
});

function owner(token: string) {
  return token === testToken ? { id: 'test', endpoints: ['*'], expiresAt: undefined } : undefined;
}
