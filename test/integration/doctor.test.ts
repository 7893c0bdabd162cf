/** The doctor's checks of the way to an edge and through it, against real edges in this process. */
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { systemOriginTls } from '../../src/agent/agent-options.ts';
import type { CheckId } from '../../src/doctor/catalogue.ts';
import { type CheckResult, ok } from '../../src/doctor/check.ts';
import { examine } from '../../src/doctor/doctor.ts';
import type { ServiceSubject, WaySubject } from '../../src/doctor/subject.ts';
import { parseTarget } from '../../src/http/target.ts';
import { eventually } from '../support/eventually.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { startTestAgent, startTestEdge, testToken, tokenProvider } from '../support/world.ts';

type Results = ReadonlyMap<CheckId, CheckResult>;

async function look(way: Partial<WaySubject>, services: readonly ServiceSubject[] = []): Promise<Results> {
  const { caPem } = await testCertificate();
  await using examination = examine(
    {
      nodeVersion: '24.0.0',
      configuration: async () => ok('none'),
      extensions: async () => ok('none'),
      state: undefined,
      edge: undefined,
      way: {
        server: { host: 'localhost', grpcPort: 1, tunnelPort: undefined },
        transport: 'auto',
        trust: { kind: 'ca', pem: caPem },
        clientCertificate: undefined,
        token: { value: testToken, source: 'the test', isLeftByEdge: false, stateDir: undefined },
        domains: [],
        ...way,
      },
      services,
      now: Date.now,
    },
    { fix: false },
  );
  const results = await Promise.all(examination.checks.map(({ result }) => result));
  return new Map(results.map((result) => [result.id, result]));
}

function serverOf(grpcPort: number, tunnelPort?: number): Pick<WaySubject, 'server'> {
  return { server: { host: 'localhost', grpcPort, tunnelPort } };
}

function statuses(results: Results, ...ids: readonly CheckId[]): (string | undefined)[] {
  return ids.map((id) => results.get(id)?.status);
}

describe('the doctor', () => {
  it('finds the TCP port by what the edge tells over gRPC', async () => {
    await using world = await startTestEdge();
    const results = await look(serverOf(world.edge.ports.grpc));
    expect(results.get('reach-tunnel')?.saw).toContain(String(world.edge.ports.tunnel));
    // The name of its trial tunnel is gone, the requests were made.
    await eventually('the end of the trial', () => world.edge.sessions().length === 0);
    expect(world.edge.stats()).toEqual([]);
    expect(world.edge.overview().totals).toMatchObject({ requests: 2, responses: 2 });
    expect([...results.values()].filter(({ status }) => status !== 'ok')).toEqual([]);
  });

  it('asks the endpoint itself with a token that allows no tunnel of the doctor', async () => {
    const authenticate = async () => ({ id: 'one', endpoints: ['app.localhost'], expiresAt: undefined });
    await using world = await startTestEdge({}, { authenticate });
    await using origin = await startHttpOrigin((_request, response) => response.end('mine'));
    const way = { ...serverOf(world.edge.ports.grpc), domains: ['app.localhost'] };
    expect((await look(way)).get('round-trip')).toMatchObject({
      status: 'skipped',
      saw: expect.stringContaining('no agent serves now'),
    });
    await using _agent = await startTestAgent(world.edge.ports, 'app.localhost', `127.0.0.1:${origin.port}`);
    const results = await look(way);
    expect(results.get('round-trip')).toMatchObject({
      status: 'ok',
      saw: `app.localhost:${world.edge.ports.proxy} answers 200 through the edge`,
    });
    expect(results.get('websocket')).toMatchObject({ status: 'skipped', blockedBy: undefined });
    const refused = await look({ ...way, domains: ['other.localhost'] });
    expect(refused.get('handshake-grpc')).toMatchObject({
      status: 'failed',
      code: 'GIR_ERR_ENDPOINT_REFUSED',
      next: expect.stringContaining('--domain'),
    });
    expect(statuses(refused, 'handshake-tunnel', 'round-trip')).toEqual(['skipped', 'skipped']);
  });

  it('takes an edge that asks visitors to log in for what it is', async () => {
    const visitors = {
      name: 'doors',
      provider: {
        authorizeVisitor: async () => ({ kind: 'deny', challenge: 'Basic realm="x"' }) as const,
      },
    };
    const agents = {
      name: 'test',
      provider: tokenProvider(async () => ({ id: 'one', endpoints: ['*'], expiresAt: undefined })),
    };
    await using world = await startTestEdge({}, { authProviders: [agents, visitors] });
    const results = await look(serverOf(world.edge.ports.grpc));
    expect(results.get('round-trip')).toMatchObject({ status: 'warning', saw: expect.stringContaining('log in') });
    expect(results.get('websocket')).toMatchObject({ status: 'skipped', blockedBy: 'round-trip' });
  });

  it('tells a pin that does not match from a port that speaks no TLS', async () => {
    await using world = await startTestEdge();
    const pin = `sha256:${'0'.repeat(64)}`;
    const wrongPin = await look({ ...serverOf(world.edge.ports.grpc), trust: { kind: 'pin', pin } });
    expect(wrongPin.get('tls-grpc')).toMatchObject({
      code: 'GIR_ERR_EDGE_CERTIFICATE',
      next: expect.stringContaining('Compare --ca'),
    });
    const wrongPort = await look(serverOf(world.edge.ports.proxy, world.edge.ports.tunnel));
    expect(wrongPort.get('tls-grpc')).toMatchObject({ next: expect.stringContaining('does not speak TLS') });
    const unverified = await look({ ...serverOf(world.edge.ports.grpc), trust: { kind: 'insecure' } });
    expect(statuses(unverified, 'tls-grpc', 'round-trip')).toEqual(['warning', 'ok']);
  });

  it('names a port that speaks TLS and not HTTP/2, and one that speaks HTTP/2 and not gRPC', async () => {
    const { certPem, keyPem } = await testCertificate();
    const plain = createTlsServer({ cert: certPem, key: keyPem, ALPNProtocols: ['http/1.1'] });
    const secure = createSecureServer({ cert: certPem, key: keyPem }, (_request, response) => response.end('hello'));
    for (const server of [plain, secure]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const portOf = (server: typeof plain): number => (server.address() as AddressInfo).port;
    const noHttp2 = await look(serverOf(portOf(plain), portOf(plain)));
    expect(statuses(noHttp2, 'tls-grpc', 'alpn', 'grpc-health')).toEqual(['ok', 'failed', 'skipped']);
    expect(noHttp2.get('alpn')?.next).toContain('--transport tcp');
    const noGrpc = await look(serverOf(portOf(secure), portOf(secure)));
    expect(noGrpc.get('grpc-health')).toMatchObject({ status: 'failed', saw: expect.stringContaining('status 200') });
    plain.close();
    secure.close();
  });

  it('leaves out what --transport leaves out', async () => {
    await using world = await startTestEdge();
    const results = await look({ ...serverOf(world.edge.ports.grpc, world.edge.ports.tunnel), transport: 'tcp' });
    expect(results.get('reach-grpc')).toMatchObject({ status: 'skipped', saw: '--transport tcp does not use it' });
    expect(statuses(results, 'handshake-tunnel', 'round-trip', 'websocket')).toEqual(['ok', 'ok', 'ok']);
  });

  it('tells of several services which one is away, and looks at the others', async () => {
    await using world = await startTestEdge();
    await using origin = await startHttpOrigin((_request, response) => response.end());
    const service = (name: string, port: number): ServiceSubject => ({
      name,
      domain: `${name}.test`,
      target: parseTarget(`127.0.0.1:${port}`),
      hostHeader: 'preserve',
      originTls: systemOriginTls,
    });
    const results = await look(serverOf(world.edge.ports.grpc), [service('web', origin.port), service('api', 1)]);
    expect(results.get('origin')).toMatchObject({
      status: 'failed',
      saw: expect.stringMatching(/^api: .*nothing listens/),
    });
    expect(results.get('origin-http')).toMatchObject({ status: 'ok', saw: expect.stringContaining('answers 200') });
  });
});
