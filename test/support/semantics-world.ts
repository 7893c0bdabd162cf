/**
 * A tunnel to a raw origin over one transport, shared by the tests of a file: what crosses it is compared octet by octet.
 */
import type { TransportChoice } from '../../src/agent/agent-options.ts';
import {
  connectPeer,
  lineName,
  type RawHead,
  type RawPeer,
  type ScriptedOrigin,
  startScriptedOrigin,
} from './raw-http.ts';
import { startTunnelWorld, type TunnelWorld, type TunnelWorldOptions } from './tunnel-world.ts';

/** Which ways a suite runs over, by name. */
export const transports: readonly { readonly name: string; readonly transport: TransportChoice }[] = [
  { name: 'hybrid', transport: 'auto' },
  { name: 'tcp', transport: 'tcp' },
];

/** A client's way to a raw origin, which ends with the world. */
export interface SemanticsWorld extends TunnelWorld {
  readonly origin: ScriptedOrigin;
  /** Connects a client to the proxy port. */
  connect(): Promise<RawPeer>;
}

/** Starts origin, edge and agent. */
export async function startSemanticsWorld(options: TunnelWorldOptions = {}): Promise<SemanticsWorld> {
  const origin = await startScriptedOrigin();
  const world = await startTunnelWorld({ target: `127.0.0.1:${origin.port}` }, options);
  return {
    ...world,
    origin,
    connect: () => connectPeer(world.port),
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
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
