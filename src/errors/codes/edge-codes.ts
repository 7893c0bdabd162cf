/** Codes of what the edge refuses or cannot do, and of the way from it to an agent. Part of the one table, ../codes.ts. */
import { type CodeEntry, entry } from '../code-entry.ts';

export const edgeCodes = {
  GIR_ERR_NO_UPSTREAM: entry(
    503,
    'destination_unavailable',
    'agent',
    'The tunnel is known, but no agent is connected.',
    'Start `giraffe tunnel` beside the service, or look at its log for why it is not connected.',
    { retry: 'unsent' },
  ),
  GIR_ERR_DRAINING: entry(
    503,
    'destination_unavailable',
    'edge',
    'This part of the tunnel is shutting down.',
    'Try again in a moment.',
    { retry: 'unsent' },
  ),
  GIR_ERR_STREAM_LIMIT: entry(
    503,
    'connection_limit_reached',
    'tunnel',
    'Too many requests are in flight in this tunnel.',
    'Try again later, or raise GRPC_MAX_CONCURRENT_STREAMS.',
    { retry: 'unsent' },
  ),
  GIR_ERR_CONNECTION_LIMIT: entry(
    503,
    'connection_limit_reached',
    'edge',
    'The edge has too many open connections.',
    'Try again later, or raise --max-connections and the limit on open files.',
  ),
  GIR_ERR_CONCURRENCY_LIMIT: entry(
    503,
    'connection_limit_reached',
    'tunnel',
    'This tunnel answers as many requests at once as it is allowed to.',
    'Try again later, or raise maxConcurrent of the tunnel.',
  ),
  GIR_ERR_WEBSOCKET_LIMIT: entry(
    503,
    'connection_limit_reached',
    'tunnel',
    'This tunnel has as many upgraded connections as it is allowed to.',
    'Try again later, or raise maxWebSockets of the tunnel.',
  ),
  GIR_ERR_BREAKER_OPEN: entry(
    503,
    'destination_unavailable',
    'origin',
    'The origin has failed too often and is spared for a while.',
    "Look at the origin's log; requests pass again when one of them succeeds after the time in Retry-After.",
  ),
  GIR_ERR_IDLE_TIMEOUT: entry(
    504,
    'connection_read_timeout',
    'origin',
    'Nothing moved in the exchange for as long as its tunnel allows.',
    'Send something now and then, or raise idleTimeout of the tunnel.',
  ),
  GIR_ERR_SESSION_LOST: entry(
    502,
    'connection_terminated',
    'tunnel',
    'The tunnel was lost while the request was in flight.',
    'Try again; if it persists, look at the network between the agent and the edge.',
    { retry: 'idempotent' },
  ),
  GIR_ERR_LOOP: entry(
    502,
    'proxy_loop_detected',
    'origin',
    'The request came back to the tunnel it had already passed.',
    "Point the tunnel's target at the service itself, not at the edge's public address.",
  ),
} satisfies Record<string, CodeEntry>;
