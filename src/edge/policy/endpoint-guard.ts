/**
 * Keeps the policy of one endpoint: decides about each request in a fixed order (address, client's rate, origin, size, rate,
 * places, breaker), and keeps the counts that this takes. Its clock is the caller's; it touches no socket and no timer.
 */
import type { ErrorCode } from '../../errors/codes.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { FieldLines } from '../../http/field-line.ts';
import type { PolicyRequest, Verdict } from './admission.ts';
import { type BreakerState, CircuitBreaker } from './circuit-breaker.ts';
import { compileRules, type Rules } from './compiled-rules.ts';
import type { EffectivePolicy } from './effective-policy.ts';
import { GuardedAdmission, type Places } from './guarded-admission.ts';
import { type Quota, rateLimitFields, retryAfter } from './quota.ts';
import { ClientRate, type RateState, SharedRate } from './rate-gate.ts';

/** One endpoint's policy and its state. */
export class EndpointGuard {
  readonly #nowMs: () => number;
  readonly #rate: SharedRate;
  readonly #clientRate: ClientRate;
  readonly #places: Places = { exchanges: 0, relays: 0 };
  readonly #onBreaker: (state: BreakerState) => void;
  #breaker: CircuitBreaker | undefined;
  #rules: Rules;

  /** @param onBreaker Called when the breaker stands elsewhere than before. */
  constructor(policy: EffectivePolicy, nowMs: () => number, onBreaker: (state: BreakerState) => void = () => {}) {
    this.#nowMs = nowMs;
    this.#onBreaker = onBreaker;
    this.#rate = new SharedRate('tunnel', nowMs);
    this.#clientRate = new ClientRate('client', nowMs);
    this.#rules = this.#compile(policy);
  }

  /** Where the breaker stands; undefined without one. */
  get breaker(): BreakerState | undefined {
    return this.#breaker?.state(this.#nowMs());
  }

  /** Where the endpoint's rate limit stands; undefined without one. */
  get rateLimit(): RateState | undefined {
    return this.#rate.state;
  }

  /** Whether nothing is under way and nothing counts against anybody; what single clients have spent is not looked at. */
  get isIdle(): boolean {
    const { exchanges, relays } = this.#places;
    return exchanges + relays === 0 && this.#rate.isFull && (this.breaker ?? 'closed') === 'closed';
  }

  /** Puts another policy in force; quotas that were spent, places that are taken and an open breaker stay. */
  change(policy: EffectivePolicy): void {
    this.#rules = this.#compile(policy);
  }

  /** @param shown Quotas that the request was counted in before, and that its client may see; more are added. */
  admit(request: PolicyRequest, shown: Quota[] = []): Verdict {
    const rules = this.#rules;
    const { routing } = request;
    const nowMs = this.#nowMs();
    if (rules.isAddressAllowed?.(routing.clientAddress) === false) return refused('GIR_ERR_ADDRESS_DENIED');
    const emptyClient = this.#clientRate.count(routing.clientAddress, nowMs, shown);
    if (emptyClient !== undefined) return rateLimited(emptyClient, shown);
    const page = rules.origins?.judge(routing.method, routing.fields);
    if (page?.kind === 'foreign') return refused('GIR_ERR_FOREIGN_ORIGIN');
    if (page?.kind === 'preflight') return { kind: 'answered', fields: page.fields };
    if (request.announcedBytes > rules.maxBodyBytes) return refused('GIR_ERR_REQUEST_BODY_TOO_LARGE');
    const empty = this.#rate.count(nowMs, shown);
    if (empty !== undefined) return rateLimited(empty, shown);
    const { maxWebSockets, maxConcurrent } = rules.policy;
    const kind = routing.isUpgrade ? 'relays' : 'exchanges';
    const limit = routing.isUpgrade ? maxWebSockets : maxConcurrent;
    if (limit !== undefined && this.#places[kind] >= limit) {
      return refused(routing.isUpgrade ? 'GIR_ERR_WEBSOCKET_LIMIT' : 'GIR_ERR_CONCURRENCY_LIMIT');
    }
    const verdict = this.#breaker?.admit(nowMs);
    if (verdict?.kind === 'open') return refused('GIR_ERR_BREAKER_OPEN', [retryAfter(verdict.waitMs)]);
    const admission = new GuardedAdmission({
      rules,
      origin: page?.origin,
      quotaFields: rateLimitFields(shown),
      places: this.#places,
      kind,
      breaker: this.#breaker,
      isProbe: verdict?.isProbe ?? false,
      nowMs: this.#nowMs,
    });
    return { kind: 'admitted', admission };
  }

  #compile(policy: EffectivePolicy): Rules {
    this.#rate.change(policy.rateLimit);
    this.#clientRate.change(policy.clientRateLimit);
    if (policy.breaker === undefined) this.#breaker = undefined;
    else if (this.#breaker === undefined) this.#breaker = new CircuitBreaker(policy.breaker, this.#onBreaker);
    else this.#breaker.change(policy.breaker);
    return compileRules(policy);
  }
}

/** The word for a request that found a quota without room. */
export function rateLimited(empty: Quota, shown: readonly Quota[]): Verdict {
  return refused('GIR_ERR_RATE_LIMITED', [retryAfter(empty.waitMs), ...rateLimitFields(shown)]);
}

/** The word for a request that is not let in. @param fields Field lines of the response. */
export function refused(code: ErrorCode, fields: FieldLines = []): Verdict {
  return { kind: 'refused', error: new GiraffeError(code, undefined, { fields }) };
}
