/**
 * The one place that every request passes: first what holds for the whole edge, then the policy of its endpoint. An edge
 * without any policy asks nothing.
 */
import { createNetworkTest } from '../../http/ip-network.ts';
import type { RateLimit, TunnelPolicy } from '../../protocol/tunnel-policy.ts';
import { free, type PolicyRequest, type Verdict } from './admission.ts';
import type { BreakerState } from './circuit-breaker.ts';
import { type EffectivePolicy, effectivePolicy, type OperatorPolicies, someRate } from './effective-policy.ts';
import { EndpointGuard, rateLimited, refused } from './endpoint-guard.ts';
import type { Quota } from './quota.ts';
import { ClientRate, type RateState } from './rate-gate.ts';

/** What the operator of an edge says. Times in milliseconds, sizes in octets. */
export interface EdgePolicy extends OperatorPolicies {
  /** Requests of one client address over all endpoints, unknown ones included; undefined is no limit. */
  readonly clientRateLimit: RateLimit | undefined;
  /** Connections of one client address at once; 0 is no limit. Those of trusted proxies do not count. */
  readonly maxConnectionsPerClient: number;
  /** Only clients in these networks are admitted; none is everybody. */
  readonly allowAddresses: readonly string[];
  /** Clients in these networks are refused. */
  readonly denyAddresses: readonly string[];
  /** Peers (load balancers) whose connections begin with a PROXY protocol header. */
  readonly proxyProtocolPeers: readonly string[];
}

/** No policy at all. */
export const noPolicy: EdgePolicy = {
  defaults: {},
  policies: [],
  clientRateLimit: undefined,
  maxConnectionsPerClient: 0,
  allowAddresses: [],
  denyAddresses: [],
  proxyProtocolPeers: [],
};

/** Wishes of agents that are kept. Those of endpoints that are served go never, whatever their number. */
const maxWishes = 10_000;
/** Endpoints whose state is kept; agents without a domain open one of a new name at each start. */
const maxGuards = 10_000;

/** Policies of one edge. */
export class PolicyGate {
  readonly #nowMs: () => number;
  readonly #isTunnel: (host: string) => boolean;
  readonly #isServed: (host: string) => boolean;
  readonly #onBreaker: (host: string, state: BreakerState) => void;
  readonly #clientRate: ClientRate;
  readonly #wishes = new Map<string, TunnelPolicy>();
  /** undefined: looked at, and nothing is in force. */
  readonly #guards = new Map<string, EndpointGuard | undefined>();
  #options: EdgePolicy;
  /** Undefined lets every address in. */
  #isAddressAllowed: ((address: string) => boolean) | undefined;
  #hasClientRate = false;

  /**
   * @param hosts `isTunnel` says whether a host is, or was, an endpoint; others get no state, clients make them up at will.
   *   `isServed` says whether it is one now.
   * @param nowMs A clock that does not run backwards, in milliseconds.
   * @param onBreaker Called when the breaker of an endpoint stands elsewhere than before.
   */
  constructor(
    options: EdgePolicy,
    hosts: { readonly isTunnel: (host: string) => boolean; readonly isServed: (host: string) => boolean },
    nowMs: () => number,
    onBreaker: (host: string, state: BreakerState) => void = () => {},
  ) {
    this.#onBreaker = onBreaker;
    this.#options = options;
    this.#isTunnel = hosts.isTunnel;
    this.#isServed = hosts.isServed;
    this.#nowMs = nowMs;
    this.#clientRate = new ClientRate('edge', nowMs);
    this.change(options);
  }

  /** Puts other policies of the operator in force. Quotas, places and open breakers stay. */
  change(options: EdgePolicy): void {
    this.#options = options;
    const { allowAddresses: allow, denyAddresses: deny } = options;
    const [isAllowed, isDenied] = [createNetworkTest(allow), createNetworkTest(deny)];
    this.#isAddressAllowed =
      allow.length === 0 && deny.length === 0
        ? undefined
        : (address) => (allow.length === 0 || isAllowed(address)) && !isDenied(address);
    const clientRateLimit = someRate(options.clientRateLimit);
    this.#hasClientRate = clientRateLimit !== undefined;
    this.#clientRate.change(clientRateLimit);
    for (const host of [...this.#guards.keys()]) this.#refresh(host);
  }

  /** Notes what the newest session of an endpoint asks for; undefined is nothing. */
  wish(host: string, policy: TunnelPolicy | undefined): void {
    this.#wishes.delete(host);
    if (policy !== undefined) this.#wishes.set(host, policy);
    this.#refresh(host);
    if (this.#wishes.size > maxWishes) this.#forgetWish(host);
  }

  /** What an agent asked for may be who is let in: it holds for as long as the agent serves. */
  #forgetWish(newest: string): void {
    for (const host of this.#wishes.keys()) {
      if (host === newest || this.#isServed(host)) continue;
      this.#wishes.delete(host);
      return;
    }
  }

  /** Decides about a request. */
  admit(request: PolicyRequest): Verdict {
    const { clientAddress, host } = request.routing;
    if (this.#isAddressAllowed?.(clientAddress) === false) return refused('GIR_ERR_ADDRESS_DENIED');
    const guard = this.#guard(host);
    if (!this.#hasClientRate) return guard?.admit(request) ?? free;
    const shown: Quota[] = [];
    const empty = this.#clientRate.count(clientAddress, this.#nowMs(), shown);
    if (empty !== undefined) return rateLimited(empty, shown);
    return guard?.admit(request, shown) ?? free;
  }

  /** Where the breaker of an endpoint stands; undefined without one. */
  breaker(host: string): BreakerState | undefined {
    return this.#guards.get(host)?.breaker;
  }

  /** Where the rate limit of an endpoint stands; undefined without one. */
  rateLimit(host: string): RateState | undefined {
    return this.#guards.get(host)?.rateLimit;
  }

  #guard(host: string): EndpointGuard | undefined {
    if (this.#guards.has(host)) return this.#guards.get(host);
    return this.#isTunnel(host) ? this.#refresh(host) : undefined;
  }

  /** Puts in force what holds for an endpoint now. Its state is kept while anything is. */
  #refresh(host: string): EndpointGuard | undefined {
    const policy = effectivePolicy(this.#options, host, this.#wishes.get(host));
    const known = this.#guards.get(host);
    if (!this.#guards.has(host) && this.#guards.size >= maxGuards) this.#makeRoom();
    if (policy === undefined) this.#guards.set(host, undefined);
    else if (known === undefined) this.#guards.set(host, this.#newGuard(host, policy));
    else known.change(policy);
    return this.#guards.get(host);
  }

  /** Forgets an endpoint whose state would be the same if it were made anew; when there is none, the oldest one. */
  #makeRoom(): void {
    let [gone] = this.#guards.keys();
    for (const [host, guard] of this.#guards) {
      if (guard?.isIdle === false) continue;
      gone = host;
      break;
    }
    if (gone !== undefined) this.#guards.delete(gone);
  }

  #newGuard(host: string, policy: EffectivePolicy): EndpointGuard {
    return new EndpointGuard(policy, this.#nowMs, (state) => this.#onBreaker(host, state));
  }
}
