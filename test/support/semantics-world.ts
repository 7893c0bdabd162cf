/**
 * A tunnel to a raw origin over one transport, shared by the tests of a file: what crosses it is compared octet by octet.
 */
import type { AgentOptions, TransportChoice } from '../../src/agent/agent-options.ts';
import type { EdgeLimits } from '../../src/edge/edge-options.ts';
import {
  connectPeer,
  lineName,
  type RawHead,
  type RawPeer,
  type RecordingOrigin,
  startRecordingOrigin,
} from './raw-http.ts';
import { startTestAgent, startTestEdge, type TestAgent, type TestEdge, type TestEdgeOptions } from './world.ts';

/** The endpoint of the tunnel. */
export const domain = 'app.test';

/** Which ways a suite runs over, by name. */
export const transports: readonly { readonly name: string; readonly transport: TransportChoice }[] = [
  { name: 'hybrid', transport: 'auto' },
  { name: 'tcp', transport: 'tcp' },
];

/** A client's way to a raw origin. */
export interface SemanticsWorld extends AsyncDisposable {
  readonly origin: RecordingOrigin;
  readonly edge: TestEdge;
  readonly agent: TestAgent;
  /** Connects a client to the proxy port. */
  connect(): Promise<RawPeer>;
}

/** What differs from an ordinary world. */
export interface SemanticsOptions {
  readonly transport?: TransportChoice;
  readonly limits?: Partial<EdgeLimits>;
  readonly edge?: TestEdgeOptions;
  readonly agent?: Partial<AgentOptions>;
}

/** Starts origin, edge and agent. */
export async function startSemanticsWorld(options: SemanticsOptions = {}): Promise<SemanticsWorld> {
  const origin = await startRecordingOrigin();
  const edge = await startTestEdge(options.limits, options.edge);
  const { ports } = edge.edge;
  const agent = await startTestAgent(ports, domain, `127.0.0.1:${origin.port}`, {
    transport: options.transport ?? 'auto',
    ...options.agent,
  });
  return {
    origin,
    edge,
    agent,
    connect: () => connectPeer(ports.proxy),
    [Symbol.asyncDispose]: async () => {
      await agent[Symbol.asyncDispose]();
      await edge[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

/** Fields that the edge adds to requests, in their order. */
export const addedNames = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'forwarded',
  'via',
  'x-request-id',
] as const;

/** Returns the lines that did not come from the edge. */
export function withoutAdded({ lines }: RawHead): string[] {
  return lines.filter((line) => !addedNames.some((name) => name === lineName(line)));
}

/** Returns the lines of a response without Via. */
export function withoutVia({ lines }: RawHead): string[] {
  return lines.filter((line) => lineName(line) !== 'via');
}
