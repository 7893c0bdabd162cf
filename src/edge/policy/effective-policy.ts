/**
 * Decides what is in force at an endpoint, from what its agent wishes and what the edge's operator says.
 *
 * The operator's word is `defaults`, and for the endpoints it names, part by part, the first of `policies` that matches. The
 * agent can only be stricter: of two limits the smaller one holds, and lists of addresses and origins must both admit.
 * Where there is nothing to compare (breaker, CORS) the operator's part wins. Header rules of the agent apply
 * first, the operator's behind them.
 */
import type { HeaderRules } from '../../http/header-rules.ts';
import type { BreakerRule, CorsRule, RateLimit, TunnelPolicy } from '../../protocol/tunnel-policy.ts';
import { endpointAllowed } from '../../state/endpoint-pattern.ts';

/** What an operator says about endpoints. */
export interface OperatorPolicies {
  /** For every endpoint. */
  readonly defaults: TunnelPolicy;
  /** For the endpoints that a pattern (`*`, `*.example.com`, a host) covers; the first entry that does counts. */
  readonly policies: readonly { readonly endpoints: readonly string[]; readonly policy: TunnelPolicy }[];
}

/** What is in force at one endpoint; undefined parts limit nothing. */
export interface EffectivePolicy {
  readonly rateLimit: RateLimit | undefined;
  readonly clientRateLimit: RateLimit | undefined;
  readonly maxConcurrent: number | undefined;
  readonly maxWebSockets: number | undefined;
  readonly breaker: BreakerRule | undefined;
  /** An origin must be in each list. */
  readonly allowedOrigins: readonly (readonly string[])[];
  readonly cors: CorsRule | undefined;
  /** Applied in this order. */
  readonly requestHeaders: readonly HeaderRules[];
  readonly responseHeaders: readonly HeaderRules[];
  /** An address must be in each list. */
  readonly allowAddresses: readonly (readonly string[])[];
  /** An address must be in none. */
  readonly denyAddresses: readonly string[];
  readonly maxBodyBytes: number | undefined;
  readonly requestTimeoutMs: number | undefined;
  readonly idleTimeoutMs: number | undefined;
}

/** Returns what is in force; undefined when that is nothing. @param wished What the endpoint's agent asks for. */
export function effectivePolicy(
  operator: OperatorPolicies,
  host: string,
  wished: TunnelPolicy = {},
): EffectivePolicy | undefined {
  const named = operator.policies.find(({ endpoints }) => endpointAllowed(endpoints, host));
  const word: TunnelPolicy = { ...operator.defaults, ...named?.policy };
  if (Object.keys(word).length === 0 && Object.keys(wished).length === 0) return undefined;
  return {
    rateLimit: stricterRate(word.rateLimit, wished.rateLimit),
    clientRateLimit: stricterRate(word.clientRateLimit, wished.clientRateLimit),
    maxConcurrent: smaller(someLimit(word.maxConcurrent), someLimit(wished.maxConcurrent)),
    maxWebSockets: smaller(someLimit(word.maxWebSockets), someLimit(wished.maxWebSockets)),
    breaker: someBreaker(word.breaker ?? wished.breaker),
    allowedOrigins: present(word.allowedOrigins, wished.allowedOrigins),
    cors: word.cors ?? wished.cors,
    requestHeaders: present(wished.requestHeaders, word.requestHeaders),
    responseHeaders: present(wished.responseHeaders, word.responseHeaders),
    allowAddresses: present(word.allowAddresses, wished.allowAddresses),
    denyAddresses: [...(word.denyAddresses ?? []), ...(wished.denyAddresses ?? [])],
    maxBodyBytes: smaller(word.maxBodyBytes, wished.maxBodyBytes),
    requestTimeoutMs: smaller(word.requestTimeoutMs, wished.requestTimeoutMs),
    idleTimeoutMs: smaller(word.idleTimeoutMs, wished.idleTimeoutMs),
  };
}

function stricterRate(a: RateLimit | undefined, b: RateLimit | undefined): RateLimit | undefined {
  const [first, second] = [someRate(a), someRate(b)];
  if (first === undefined || second === undefined) return first ?? second;
  return {
    rpm: Math.min(first.rpm, second.rpm),
    burst: Math.min(first.burst, second.burst),
    announce: first.announce || second.announce,
  };
}

/** Returns a rate limit unless it says that there is none. */
export function someRate(limit: RateLimit | undefined): RateLimit | undefined {
  return limit?.rpm === 0 ? undefined : limit;
}

function someBreaker(rule: BreakerRule | undefined): BreakerRule | undefined {
  return rule?.failures === 0 ? undefined : rule;
}

function someLimit(limit: number | undefined): number | undefined {
  return limit === 0 ? undefined : limit;
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

function present<T>(...values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}
