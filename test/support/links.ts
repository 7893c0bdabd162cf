/**
 * The network between agents and one edge: a forwarder before each tunnel port, on an address of its own with the same
 * port numbers, since an agent asks the edge for its ports.
 */
import type { EdgePorts } from '../../src/edge/edge-options.ts';
import { type CuttableProxy, startCuttableProxy } from './cuttable-proxy.ts';

/** Address of the forwarders. The test certificate is good for it. */
const linkHost = '127.0.0.3';
/** Address of edges that come back on the same ports; nothing else on it takes a port in the meantime. */
export const fixedHost = '127.0.0.4';

/** Both ways to an edge. */
export interface Links extends AsyncDisposable {
  readonly grpc: CuttableProxy;
  readonly tunnel: CuttableProxy;
  /** What an agent that uses the links is started with. */
  readonly server: { readonly host: string; readonly grpcPort: number; readonly tunnelPort: number };
  /** Calls the same method of both. */
  both(what: 'cut' | 'forget' | 'stall' | 'resume' | 'lose' | 'refuse' | 'accept'): void;
}

/** Starts forwarders to an edge on this loopback address. */
export async function startLinks(ports: EdgePorts, targetHost = '127.0.0.1'): Promise<Links> {
  const grpc = await startCuttableProxy(ports.grpc, { host: linkHost, port: ports.grpc, targetHost });
  const tunnel = await startCuttableProxy(ports.tunnel, { host: linkHost, port: ports.tunnel, targetHost });
  return {
    grpc,
    tunnel,
    server: { host: linkHost, grpcPort: ports.grpc, tunnelPort: ports.tunnel },
    both: (what) => {
      grpc[what]();
      tunnel[what]();
    },
    [Symbol.asyncDispose]: async () => {
      await grpc[Symbol.asyncDispose]();
      await tunnel[Symbol.asyncDispose]();
    },
  };
}
