/** O3: what the gRPC port tells to any gRPC client: health and reflection, without certificate or token. */
import { fileURLToPath } from 'node:url';
import { type Client, type ClientReadableStream, credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { describe, expect, it } from 'vitest';
import { loadHealthPackage, loadTunnelPackage } from '../../src/tunnel/tunnel-service.ts';
import { converse } from '../support/raw-client.ts';
import { startRecordingOrigin } from '../support/recording-origin.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { startTestAgent, startTestEdge, type TestEdge } from '../support/world.ts';

/** A service object made from a definition, as any gRPC user would. */
type Service = Client & Record<string, (...args: never[]) => unknown>;
type Constructor = new (address: string, credentials: unknown) => Service;

function reflectionProto(version: 'v1' | 'v1alpha'): string {
  const path = `@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`;
  return fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));
}

async function serviceClient(
  edge: TestEdge,
  definition: ReturnType<typeof loadSync>,
  name: string,
): Promise<Service & Disposable> {
  const { caPem } = await testCertificate();
  const [found] = [name].map((path) =>
    path.split('.').reduce<unknown>((at, part) => Reflect.get(at as object, part), loadPackageDefinition(definition)),
  );
  const client = new (found as Constructor)(
    `localhost:${edge.edge.ports.grpc}`,
    credentials.createSsl(Buffer.from(caPem)),
  );
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

function unary<Answer>(client: Service, method: string, request: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = Reflect.get(client, method) as (
      request: object,
      done: (error: Error | null, answer: Answer) => void,
    ) => void;
    call.call(client, request, (error, answer) => (error === null ? resolve(answer) : reject(error)));
  });
}

interface ReflectionAnswer {
  readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
  readonly error_response?: { readonly error_code: number };
}

/** Asks one question on a reflection stream. */
async function reflect(edge: TestEdge, version: 'v1' | 'v1alpha', question: object): Promise<ReflectionAnswer> {
  const definition = loadSync(reflectionProto(version), { keepCase: true, defaults: false });
  using client = await serviceClient(edge, definition, `grpc.reflection.${version}.ServerReflection`);
  const open = Reflect.get(client, 'ServerReflectionInfo') as () => ClientReadableStream<ReflectionAnswer> & {
    write(question: object): void;
    end(): void;
  };
  const call = open.call(client);
  return await new Promise((resolve, reject) => {
    call.once('data', resolve);
    call.once('error', reject);
    call.write(question);
    call.end();
  });
}

const health = loadSync(protoPath, { enums: String });

describe('reflection', () => {
  it.each(['v1', 'v1alpha'] as const)(
    'O3 %s lists the services, as `grpcurl … list` asks for them',
    async (version) => {
      await using edge = await startTestEdge();
      const answer = await reflect(edge, version, { list_services: '' });
      const names = answer.list_services_response?.service.map((service) => service.name) ?? [];
      expect(names).toEqual(expect.arrayContaining(['tunnel.TunnelService', 'grpc.health.v1.Health']));
    },
  );

  it.each(['v1', 'v1alpha'] as const)(
    'O3 %s describes the service, so that nobody needs the proto file',
    async (version) => {
      await using edge = await startTestEdge();
      const answer = await reflect(edge, version, { file_containing_symbol: 'tunnel.TunnelService' });
      const [file] = answer.file_descriptor_response?.file_descriptor_proto ?? [];
      const text = file?.toString('latin1') ?? '';
      expect(text).toContain('HealthCheck');
      expect(text).toContain('NOT_SERVING');
    },
  );

  it('O3 the health service is described in a way that Go programs accept: a map would have a wrong entry name', async () => {
    await using edge = await startTestEdge();
    const answer = await reflect(edge, 'v1', { file_containing_symbol: 'grpc.health.v1.Health' });
    const [file] = answer.file_descriptor_response?.file_descriptor_proto ?? [];
    expect(file?.toString('latin1')).toContain('StatusesEntry');
  });

  it('O3 an unknown symbol is answered as such', async () => {
    await using edge = await startTestEdge();
    const answer = await reflect(edge, 'v1', { file_containing_symbol: 'tunnel.Nothing' });
    expect(answer.error_response?.error_code).toBe(5);
  });
});

describe('health', () => {
  it('O3 tunnel.TunnelService/HealthCheck answers SERVING without certificate or token', async () => {
    await using edge = await startTestEdge();
    using client = await serviceClient(edge, loadTunnelPackage(), 'tunnel.TunnelService');
    expect(await unary(client, 'HealthCheck', {})).toEqual({ status: 'SERVING' });
  });

  it.each(['', 'tunnel.TunnelService'])('O3 grpc.health.v1.Health/Check answers SERVING for "%s"', async (service) => {
    await using edge = await startTestEdge();
    using client = await serviceClient(edge, health, 'grpc.health.v1.Health');
    expect(await unary(client, 'check', { service })).toMatchObject({ status: 'SERVING' });
  });

  it('O3 grpc.health.v1.Health/List, decoded as reflection describes it, tells all services', async () => {
    await using edge = await startTestEdge();
    using client = await serviceClient(edge, loadHealthPackage(), 'grpc.health.v1.Health');
    const { statuses } = await unary<{ statuses: readonly { key: string; value: object }[] }>(client, 'List', {});
    expect(statuses).toContainEqual({ key: 'tunnel.TunnelService', value: { status: 'SERVING' } });
  });

  it('O3 grpc.health.v1.Health/Check answers NOT_FOUND for a service that is not there', async () => {
    await using edge = await startTestEdge();
    using client = await serviceClient(edge, health, 'grpc.health.v1.Health');
    await expect(unary(client, 'check', { service: 'nothing.Here' })).rejects.toMatchObject({ code: 5 });
  });

  it('O3 Watch of a client without a token tells the state and ends as UNAVAILABLE, and the next one tells it again', async () => {
    await using edge = await startTestEdge({ handshakeTimeoutMs: 1500 });
    using watcher = await serviceClient(edge, health, 'grpc.health.v1.Health');
    const open = Reflect.get(watcher, 'watch') as (request: object) => ClientReadableStream<{ status: string }>;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const statuses: string[] = [];
      const call = open.call(watcher, { service: 'tunnel.TunnelService' });
      call.on('data', ({ status }: { status: string }) => statuses.push(status));
      const error = await new Promise<{ code?: number }>((resolve) => call.once('error', resolve));
      expect({ code: error.code, statuses }).toEqual({ code: 14, statuses: ['SERVING'] });
    }
  });

  it('O3 Watch and HealthCheck on an open connection say NOT_SERVING while the edge drains', async () => {
    await using edge = await startTestEdge();
    await using origin = await startRecordingOrigin(() => {});
    await using _agent = await startTestAgent(edge.edge.ports, 'a.test', `127.0.0.1:${origin.port}`);
    const pending = converse(edge.edge.ports.proxy, 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    using watcher = await serviceClient(edge, health, 'grpc.health.v1.Health');
    using client = await serviceClient(edge, loadTunnelPackage(), 'tunnel.TunnelService');
    await unary(client, 'HealthCheck', {});
    const statuses: string[] = [];
    const open = Reflect.get(watcher, 'watch') as (request: object) => ClientReadableStream<{ status: string }>;
    const call = open.call(watcher, { service: 'tunnel.TunnelService' });
    call.on('error', () => {});
    const next = (): Promise<void> =>
      new Promise((resolve) =>
        call.once('data', ({ status }: { status: string }) => {
          statuses.push(status);
          resolve();
        }),
      );
    await next();
    const drained = edge.edge.drain(1000);
    await next();
    expect(statuses).toEqual(['SERVING', 'NOT_SERVING']);
    expect(await unary(client, 'HealthCheck', {})).toEqual({ status: 'NOT_SERVING' });
    await drained;
    await pending;
  });
});
