/** What must and must not type-check of `import … from 'giraffe-tunnel'`. Never run. */
import {
  type ErrorCode,
  GiraffeError,
  openTunnel,
  type RunningEdge,
  startEdge,
  type Tunnel,
} from '../../src/embed/index.ts';

/** Everything that the documentation shows. */
export async function allowed(edge: RunningEdge): Promise<void> {
  await using started = await startEdge({
    ports: { proxy: 8081 },
    config: { server: { limits: { maxConnections: 10 } } },
  });
  const { server, token, ca } = started;
  await using tunnel: Tunnel = await openTunnel({ target: 3000, server, token, ca, domain: 'app.localhost' });
  const off = tunnel.on('request', ({ method, path, status, durationMs }) => [method, path, status, durationMs]);
  off();
  tunnel.on('reconnecting', ({ error }) => error satisfies GiraffeError);
  tunnel.mode satisfies 'hybrid' | 'grpc' | 'tcp' | undefined;
  (await tunnel.closed) satisfies GiraffeError | undefined;
  await tunnel.close({ drainMs: 1_000 });
  edge.ports.proxy satisfies number;
  const error = new GiraffeError('GIR_ERR_USAGE');
  error.code satisfies ErrorCode;
}

/** What a compiler must find. */
export async function refused(tunnel: Tunnel): Promise<void> {
  // @ts-expect-error a tunnel needs a target
  await openTunnel({});
  // @ts-expect-error there is no such transport
  await openTunnel({ target: 1, transport: 'udp' });
  // @ts-expect-error there is no such event
  tunnel.on('carrier', () => undefined);
  // @ts-expect-error what a tunnel says is not for others to change
  tunnel.url = '';
  // @ts-expect-error a request has no error
  tunnel.on('request', ({ error }) => error);
  // @ts-expect-error there is no such port
  await startEdge({ ports: { http: 80 } });
  // @ts-expect-error there is no such section
  await startEdge({ config: { sever: {} } });
}
