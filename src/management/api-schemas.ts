/**
 * The forms of the management API: what it answers and what it takes. The OpenAPI document and the types of the routes are
 * made of them. Within /api/v1 fields are added, never taken away or changed in meaning.
 */
import { z } from '@hono/zod-openapi';

const count = z.int().nonnegative();
const bytes = count.describe('Octets.');
const time = z.iso.datetime().describe('ISO 8601, UTC.');
const milliseconds = z.number().nonnegative();
const byCode = z.record(z.string(), count).describe('Counts by error code.');

const byReason = z
  .record(z.string(), count)
  .describe('Sessions that ended, by error code; `left` for those whose agent left.');

/** Why something was refused (RFC 9457). */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional().describe('What is particular to this case.'),
    code: z.string().describe('One of docs/reference/errors.md.'),
    side: z.string().describe('Whose side it is: client, edge, tunnel, agent or origin.'),
    fix: z.string().describe('The next step.'),
  })
  .openapi('Problem');

const latency = z
  .object({
    count: count.describe('Exchanges that were measured; relays are not. Without any there are no percentiles.'),
    p50Ms: milliseconds.optional(),
    p90Ms: milliseconds.optional(),
    p95Ms: milliseconds.optional(),
    p99Ms: milliseconds.optional(),
    maxMs: milliseconds.optional(),
  })
  .openapi('Latency');

const recent = latency.extend({ windowMs: milliseconds.describe('Over how long.') }).openapi('RecentLatency');

const transports = { grpc: count, tcp: count, upgrades: count.describe('Those that asked for another protocol.') };

const figures = {
  requests: count.describe('Requests that began: responses, errors and those in flight.'),
  responses: count.describe('Exchanges that ended well.'),
  errors: count.describe('Exchanges that failed.'),
  inFlight: count.describe('Exchanges and relays that have not ended.'),
  requestBytes: bytes.describe('Octets of bodies and relays from clients, of exchanges that have ended.'),
  responseBytes: bytes.describe('Octets of bodies and relays to clients, of exchanges that have ended.'),
  reconnects: count.describe('Sessions of agents that had one before.'),
  transports: z.object(transports).describe('Exchanges that ended, by the way they took.'),
  codes: byCode,
  latency: latency.describe('Durations since counting began.'),
  recent: recent.describe('Durations of the last 10 to 20 s.'),
};

const breaker = z
  .enum(['closed', 'open', 'half-open'])
  .describe('Where the circuit breaker stands; left out without one.');
const rateLimit = z
  .object({ perMinute: count, burst: count, remaining: count.describe('Requests that may come at once now.') })
  .describe('The rate limit of the endpoint; left out without one, and before the first request.');

/** Figures of one endpoint. */
const tunnelStats = z
  .object({
    domain: z.string(),
    sessions: count.describe('Sessions of agents that serve it now.'),
    ...figures,
    breaker: breaker.optional(),
    rateLimit: rateLimit.optional(),
  })
  .openapi('TunnelStats');

const totals = z
  .object({
    ...figures,
    transports: z
      .object({ ...transports, none: count.describe('Those that reached no agent, or that the edge answered.') })
      .describe('Exchanges that ended, by the way they took.'),
    webSockets: count.describe('Upgrades to WebSocket.'),
    sessionsOpened: count,
    sessionsClosed: byReason,
    agentRefusals: byCode.describe('Agents that were refused, by code.'),
    rejections: byCode.describe('Connections and requests refused before their endpoint was known, by code.'),
  })
  .openapi('Totals');

const byTransport = z.object({ grpc: count, tcp: count });

const now = z
  .object({
    connections: count.describe('Connections of clients.'),
    endpoints: count.describe('Endpoints that an agent serves.'),
    sessions: count,
    carriers: byTransport.describe('Connections of agents that carry exchanges.'),
    streams: byTransport.describe('Exchanges and relays on them.'),
    windowBytes: byTransport.describe('Octets that agents may send, or have sent and clients have not taken.'),
    originsDown: count.describe('Services that their agents say do not answer, one for each endpoint of a session.'),
    openBreakers: count.describe('Endpoints whose circuit breaker is open or half open.'),
    memory: z.object({ heap: bytes, external: bytes, resident: bytes.describe('Contains the others.') }),
  })
  .openapi('Now');

/** Figures of an edge. */
export const stats = z
  .object({
    v: z.literal(1),
    role: z.literal('edge'),
    startedAt: time.describe('When counting began.'),
    takenAt: time,
    totals: totals.describe('Of all requests, those for no endpoint included.'),
    now,
    tunnels: z.array(tunnelStats),
  })
  .openapi('Stats');

const session = z
  .object({
    sessionId: z.string(),
    agentId: z.string(),
    domains: z.array(z.string()),
    principal: z.string().describe("Who opened it: the auth provider's name and its name of the agent."),
    openedAt: time,
    labels: z.array(z.string()),
    weight: count,
    canWithdraw: z
      .boolean()
      .describe('Whether it can lose one of its endpoints and serve on; an agent of an older release ends as a whole.'),
    mode: z.enum(['hybrid', 'grpc', 'tcp']).optional(),
    inFlight: count,
    peers: z.array(z.string()).describe('Addresses of the agent, one for each connection.'),
  })
  .openapi('Session');

/** One endpoint with the agents that serve it. */
export const tunnel = tunnelStats.extend({ agents: z.array(session) }).openapi('Tunnel');

/** All of them. */
export const tunnels = z.object({ tunnels: z.array(tunnel) }).openapi('Tunnels');

/** What became of a request to disconnect. */
export const disconnected = z
  .object({ disconnected: count.describe('Agents that serve it no longer.') })
  .openapi('Disconnected');

const labels = z.record(z.string(), z.string());
const metricBase = { name: z.string(), help: z.string(), unit: z.enum(['bytes', 'seconds', '']) };
const plainSamples = z.array(z.object({ labels, value: z.number() }));

/** All figures as metrics exporters get them. */
export const metrics = z
  .object({
    role: z.enum(['edge', 'agent']),
    startedAt: time,
    takenAt: time,
    metrics: z.array(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('counter'), ...metricBase, samples: plainSamples }),
        z.object({ kind: z.literal('gauge'), ...metricBase, samples: plainSamples }),
        z.object({
          kind: z.literal('histogram'),
          ...metricBase,
          bounds: z.array(z.number()),
          samples: z.array(z.object({ labels, counts: z.array(count), sum: z.number(), count })),
        }),
      ]),
    ),
  })
  .openapi('Metrics');

const tokenFacts = { id: z.string(), name: z.string(), endpoints: z.array(z.string()) };

/** Tokens of agents. */
export const tokens = z
  .object({
    tokens: z.array(
      z.object({ ...tokenFacts, createdAt: time, expiresAt: time.optional(), expired: z.boolean() }).openapi('Token'),
    ),
  })
  .openapi('Tokens');

/** What a token shall be. */
export const newToken = z
  .strictObject({
    name: z.string().min(1).max(100),
    endpoints: z
      .array(z.string().min(1))
      .min(1)
      .default(['*'])
      .describe('Patterns of endpoints it may serve: a host, *.domain, or * for all.'),
    expiresAt: z.iso.datetime({ offset: true }).optional().describe('When it ends; left out for never.'),
  })
  .openapi('NewToken');

/** A token that was made. */
export const createdToken = z
  .object({ ...tokenFacts, expiresAt: time.optional(), token: z.string().describe('The secret, shown only here.') })
  .openapi('CreatedToken');

/** That the edge drains. */
export const draining = z
  .object({ status: z.literal('draining'), deadlineMs: milliseconds.describe('What is in flight has this long.') })
  .openapi('Draining');

/** Health. */
export const health = z.object({ status: z.enum(['ok', 'unavailable']) }).openapi('Health');
