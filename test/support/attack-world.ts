/** A tunnel for `a.test` with an origin that records octets, for attacks from the client's side. */
import type { EdgeLimits } from '../../src/edge/edge-options.ts';
import { type RawClient, type RawClientOptions, rawClient } from './raw-client.ts';
import { type RecordingOrigin, startRecordingOrigin } from './recording-origin.ts';
import { startTunnelWorld, type TunnelWorld } from './tunnel-world.ts';

/** A tunnel, its origin, and clients on bare sockets, which close when the edge has closed. */
export interface AttackWorld extends TunnelWorld {
  readonly origin: RecordingOrigin;
  connect(options?: RawClientOptions): Promise<RawClient>;
}

/** Starts a tunnel whose origin gives `answer`. */
export async function startAttackWorld(
  limits: Partial<EdgeLimits> = {},
  answer?: Parameters<typeof startRecordingOrigin>[0],
): Promise<AttackWorld> {
  const origin = await startRecordingOrigin(answer);
  const world = await startTunnelWorld({ target: `127.0.0.1:${origin.port}` }, { domain: 'a.test', limits });
  return {
    ...world,
    origin,
    connect: (options) => rawClient(world.port, '', { halfOpen: false, ...options }),
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}
