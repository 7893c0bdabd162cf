/**
 * The policy of one endpoint: what protects it, as data. An agent sends that of its tunnels in HELLO; the operator of an
 * edge writes others in the configuration. Everything is optional, and absent means no limit.
 *
 * It is read before anybody is authenticated, so every part has a bound, and whatever passes here can be put in force.
 */
import * as z from 'zod';
import { isOriginPattern } from '../http/browser-origin.ts';
import { isToken } from '../http/head-syntax.ts';
import { type HeadKind, isRuleField, isRuleValue } from '../http/header-rules.ts';
import { isNetwork } from '../http/ip-network.ts';

/** Entries of one list at most. */
const maxEntries = 100;
/** The longest time a timer keeps, in milliseconds. */
const maxTimeMs = 2 ** 31 - 1;
const maxCount = 1_000_000_000;

const count = z.int().min(0).max(maxCount);
const timeMs = z.int().min(1).max(maxTimeMs);
const tokens = z.array(z.string().max(100).refine(isToken)).max(maxEntries);

const rateLimit = z.object({
  /** Requests per minute in the long run; 0 is no limit. */
  rpm: count,
  /** Requests above `rpm` that may come at once. */
  burst: count,
  /** Whether responses carry RateLimit and RateLimit-Policy; a 429 always does. */
  announce: z.boolean(),
});

const breaker = z.object({
  /** Failures in a row that open the breaker; 0 is no breaker. */
  failures: count,
  /** How long it stays open, in milliseconds. */
  openMs: timeMs,
  /** Statuses of the origin that count as failures, besides an origin that cannot be had or breaks off. */
  statuses: z.array(z.int().min(400).max(599)).max(maxEntries),
});

const cors = z.object({
  methods: tokens,
  /** Request fields that a page may send; `*` is any. */
  headers: tokens,
  exposedHeaders: tokens,
  credentials: z.boolean(),
  /** How long a browser may remember a preflight, in seconds. */
  maxAgeSeconds: count,
});

function headerRules(kind: HeadKind) {
  const name = z.string().refine((text) => isRuleField(text, kind));
  const lines = z
    .record(name, z.string().refine(isRuleValue))
    .refine((value) => Object.keys(value).length <= maxEntries);
  return z.object({ remove: z.array(name).max(maxEntries), set: lines, add: lines });
}

const networks = z.array(z.string().max(50).refine(isNetwork)).max(maxEntries);

/** Schema of a policy as it is sent. Unknown parts are refused: an edge must not drop a protection in silence. */
export const tunnelPolicySchema = z
  .strictObject({
    /** For all clients of the endpoint together. */
    rateLimit,
    /** For each client address (IPv6: each /64). */
    clientRateLimit: rateLimit,
    /** Exchanges in flight at once, relays not among them; 0 is no limit. */
    maxConcurrent: count,
    /** Upgraded connections at once; 0 is no limit. */
    maxWebSockets: count,
    breaker,
    /** Origins whose pages may call the endpoint, besides its own. */
    allowedOrigins: z.array(z.string().max(300).refine(isOriginPattern)).max(maxEntries),
    /** Lets the edge answer preflights and write the CORS fields. */
    cors,
    requestHeaders: headerRules('request'),
    responseHeaders: headerRules('response'),
    /** Only these clients are admitted. */
    allowAddresses: networks,
    /** These clients are refused, even when allowed. */
    denyAddresses: networks,
    /** Largest request body, in octets. */
    maxBodyBytes: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
    /** Time to the response head, in milliseconds. */
    requestTimeoutMs: timeMs,
    /** Time without an octet in either direction behind the response head, relays included, in milliseconds. */
    idleTimeoutMs: timeMs,
  })
  .partial();

/** What protects one endpoint. */
export type TunnelPolicy = z.output<typeof tunnelPolicySchema>;
/** A rate limit: in the long run `rpm` requests per minute; at once `rpm` and `burst` together. */
export type RateLimit = z.output<typeof rateLimit>;
/** When an origin that fails is spared. */
export type BreakerRule = z.output<typeof breaker>;
/** What the edge says to browsers on behalf of the origin. */
export type CorsRule = z.output<typeof cors>;

/** Schema of STATUS: the agent's whole word about its origins. A lower `sequence` than the last one is out of date. */
export const agentStatusSchema = z.object({
  sequence: z.int().min(0),
  /** Endpoints whose origin does not answer. */
  down: z.array(z.string().min(1).max(253)).max(maxEntries),
});

/** What an agent says about its origins. */
export type AgentStatus = z.output<typeof agentStatusSchema>;
