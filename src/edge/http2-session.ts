/**
 * The way from a gRPC call to the HTTP/2 session under it.
 *
 * grpc-js 1.14 has no public one, and its server sets no flow-control window:
 * without this, uploads to the edge would be held to 64 KiB per round trip.
 */
import type { ServerHttp2Session } from 'node:http2';

/** Returns the call's session, or undefined should grpc-js change its inside. */
export function http2SessionOf(call: object): ServerHttp2Session | undefined {
  const session = property(property(property(call, 'call'), 'stream'), 'session');
  return isSession(session) ? session : undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function isSession(value: unknown): value is ServerHttp2Session {
  return (
    typeof property(value, 'setLocalWindowSize') === 'function' && typeof property(value, 'settings') === 'function'
  );
}
