import { describe, expect, it } from 'vitest';
import { EdgeDialer } from '../../src/agent/edge-dialer.ts';
import { probeEdge } from '../../src/agent/edge-probe.ts';
import type { Welcome } from '../../src/protocol/handshake.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { startTestAgent, startTestEdge, type TestEdge, testToken } from '../support/world.ts';

const inTime = new AbortController().signal;

async function probe(
  { edge }: TestEdge,
  kind: 'grpc' | 'tls',
  endpoints: readonly (string | null)[],
  token = testToken,
): Promise<Welcome> {
  const { caPem } = await testCertificate();
  const dialer = new EdgeDialer('localhost', { kind: 'ca', pem: caPem }, undefined);
  const port = kind === 'grpc' ? edge.ports.grpc : edge.ports.tunnel;
  return probeEdge(dialer, { kind, port, token, endpoints }, inTime);
}

describe.each(['grpc', 'tls'] as const)('a probe over %s', (kind) => {
  it('is answered, and opens no session for the endpoint, remembers none and disturbs none', async () => {
    const known = new Set<string>();
    await using world = await startTestEdge({}, { knownEndpoints: known });
    await using origin = await startHttpOrigin((_request, response) => response.end('served'));
    await using agent = await startTestAgent(world.edge.ports, 'app.test', `127.0.0.1:${origin.port}`);
    const welcome = await probe(world, kind, ['app.test', 'other.test', null]);
    expect(welcome.endpoints.map(({ host }) => host)).toEqual([
      'app.test',
      'other.test',
      expect.stringMatching(/\.localhost$/),
    ]);
    expect(welcome.ports.tunnel).toBe(world.edge.ports.tunnel);
    expect([...known]).toEqual(['app.test']);
    expect(world.edge.stats().map(({ domain, sessions }) => [domain, sessions])).toEqual([['app.test', 1]]);
    expect(agent.events.filter(({ type }) => type === 'reconnecting')).toEqual([]);
  });

  it('is refused with a token that is unknown, and for an endpoint that the token does not allow', async () => {
    await using world = await startTestEdge(
      {},
      {
        authenticate: async (token) =>
          token === testToken ? { id: 'one', endpoints: ['app.test'], expiresAt: undefined } : undefined,
      },
    );
    await expect(probe(world, kind, ['app.test'], 'wrong')).rejects.toMatchObject({
      code: 'GIR_ERR_CREDENTIALS_REFUSED',
    });
    await expect(probe(world, kind, [null])).rejects.toMatchObject({ code: 'GIR_ERR_ENDPOINT_REFUSED' });
    await expect(probe(world, kind, ['app.test'])).resolves.toMatchObject({ sessionId: 'probe' });
  });
});
