/** Looks at what an edge has at this moment, for the figures that are no counts. */
import type { PolicyGate } from './policy/policy-gate.ts';
import type { RouteTable } from './route-table.ts';

/** What is not counted but looked at. */
export interface EdgeNow {
  /** Connections of clients. */
  readonly connections: number;
  /** Endpoints that an agent serves. */
  readonly endpoints: number;
  readonly sessions: number;
  /** Carriers that are up, and the exchanges and relays on them. */
  readonly carriers: { readonly grpc: number; readonly tcp: number };
  readonly streams: { readonly grpc: number; readonly tcp: number };
  /** What agents may send, or have sent and clients have not taken, in octets. */
  readonly windowBytes: { readonly grpc: number; readonly tcp: number };
  /** Origins that their agents say do not answer, one for each endpoint of a session. */
  readonly originsDown: number;
  /** Endpoints whose circuit breaker does not let everything pass. */
  readonly openBreakers: number;
  readonly memory: { readonly heap: number; readonly external: number; readonly resident: number };
}

/** Returns what is there now. @param connections Of clients. */
export function lookAtEdge(routes: RouteTable, policies: PolicyGate, connections: number): EdgeNow {
  const { heapUsed, external, rss } = process.memoryUsage();
  const hosts = [...routes.hosts];
  const openBreakers = hosts.filter((host) => (policies.breaker(host) ?? 'closed') !== 'closed');
  return {
    connections,
    endpoints: hosts.length,
    openBreakers: openBreakers.length,
    memory: { heap: heapUsed, external, resident: rss },
    ...lookAtSessions(routes),
  };
}

function lookAtSessions(
  routes: RouteTable,
): Pick<EdgeNow, 'sessions' | 'originsDown' | 'carriers' | 'streams' | 'windowBytes'> {
  const carriers = { grpc: 0, tcp: 0 };
  const streams = { grpc: 0, tcp: 0 };
  const windowBytes = { grpc: 0, tcp: 0 };
  let sessions = 0;
  let originsDown = 0;
  for (const session of routes.sessions) {
    sessions += 1;
    originsDown += session.originsDown;
    for (const transport of ['grpc', 'tcp'] as const) {
      const multiplexer = session.multiplexer(transport);
      if (multiplexer === undefined) continue;
      carriers[transport] += 1;
      streams[transport] += multiplexer.streams;
      windowBytes[transport] += multiplexer.windowBytes;
    }
  }
  return { sessions, originsDown, carriers, streams, windowBytes };
}
