/**
 * Keeps the policy of one endpoint: decides about each request in a fixed order (address, client's rate, origin, size, rate,
 * places, breaker), and keeps the counts that this takes. Its clock is the caller's; it touches no socket and no timer.
 */
import type { ErrorCode } from '../../errors/codes.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { FieldLine, FieldLines } from '../../http/field-line.ts';
import { createHeaderEdit, type HeaderEdit } from '../../http/header-rules.ts';
import { createNetworkTest } from '../../http/ip-network.ts';
import type { RequestHead, ResponseHead } from '../../http/message.ts';
import type { Admission, PolicyRequest, Verdict } from './admission.ts';
import { type BreakerState, type BreakerVote, CircuitBreaker } from './circuit-breaker.ts';
import { CrossOriginGate } from './cors.ts';
import type { EffectivePolicy } from './effective-policy.ts';
import { ClientRate, type Quota, type RateState, SharedRate } from './rate-gate.ts';
import { rateLimitFields, seconds } from './rate-limit-fields.ts';

/** One endpoint's policy and its state. */
export class EndpointGuard {
  readonly #nowMs: () => number;
  readonly #rate: SharedRate;
  readonly #clientRate: ClientRate;
  readonly #places = { exchanges: 0, relays: 0 };
  #breaker: CircuitBreaker | undefined;
  #rules: Rules;

  constructor(policy: EffectivePolicy, nowMs: () => number) {
    this.#nowMs = nowMs;
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

  /** Puts another policy in force; quotas that were spent, places that are taken and an open breaker stay. */
  change(policy: EffectivePolicy): void {
    this.#rules = this.#compile(policy);
  }

  /** @param earlier Quotas that the request was counted in before, and that its client may see. */
  admit(request: PolicyRequest, earlier: readonly Quota[] = []): Verdict {
    const rules = this.#rules;
    const { routing } = request;
    const nowMs = this.#nowMs();
    if (!rules.isAddressAllowed(routing.clientAddress)) return refused('GIR_ERR_ADDRESS_DENIED');
    const shown: Quota[] = [...earlier];
    const emptyClient = this.#clientRate.count(routing.clientAddress, nowMs, shown);
    if (emptyClient !== undefined) return rateLimited(emptyClient, shown);
    const page = rules.origins?.judge(routing.method, routing.fields);
    if (page?.kind === 'foreign') return refused('GIR_ERR_FOREIGN_ORIGIN');
    if (page?.kind === 'preflight') return { kind: 'answered', fields: page.fields };
    if (request.announcedBytes > rules.maxBodyBytes) return refused('GIR_ERR_REQUEST_BODY_TOO_LARGE');
    const empty = this.#rate.count(nowMs, shown);
    if (empty !== undefined) return rateLimited(empty, shown);
    return this.#admitExchange(routing.isUpgrade, { rules, origin: page?.origin, quotaFields: rateLimitFields(shown) });
  }

  #admitExchange(isUpgrade: boolean, facts: RuleFacts): Verdict {
    const { policy } = facts.rules;
    const kind = isUpgrade ? 'relays' : 'exchanges';
    const limit = isUpgrade ? policy.maxWebSockets : policy.maxConcurrent;
    if (limit !== undefined && this.#places[kind] >= limit) {
      return refused(isUpgrade ? 'GIR_ERR_WEBSOCKET_LIMIT' : 'GIR_ERR_CONCURRENCY_LIMIT');
    }
    const breaker = this.#breaker;
    const verdict = breaker?.admit(this.#nowMs());
    if (verdict?.kind === 'open') {
      return refused('GIR_ERR_BREAKER_OPEN', [retryAfter(verdict.waitMs)]);
    }
    this.#places[kind] += 1;
    const isProbe = verdict?.isProbe ?? false;
    const admission = new GuardedAdmission(facts, {
      settlesEarly: isProbe || isUpgrade,
      settle: (vote) => breaker?.settle(vote, isProbe, this.#nowMs()),
      leave: () => {
        this.#places[kind] -= 1;
      },
    });
    return { kind: 'admitted', admission };
  }

  #compile(policy: EffectivePolicy): Rules {
    this.#rate.change(policy.rateLimit);
    this.#clientRate.change(policy.clientRateLimit);
    if (policy.breaker === undefined) this.#breaker = undefined;
    else if (this.#breaker === undefined) this.#breaker = new CircuitBreaker(policy.breaker);
    else this.#breaker.change(policy.breaker);
    return compileRules(policy);
  }
}

/** A policy made ready for use. */
interface Rules {
  readonly policy: EffectivePolicy;
  readonly isAddressAllowed: (address: string) => boolean;
  readonly origins: CrossOriginGate | undefined;
  readonly editRequest: HeaderEdit | undefined;
  readonly editResponse: HeaderEdit | undefined;
  readonly maxBodyBytes: number;
  readonly failureStatuses: ReadonlySet<number>;
}

function compileRules(policy: EffectivePolicy): Rules {
  const { allowedOrigins, cors } = policy;
  return {
    policy,
    isAddressAllowed: addressTest(policy),
    origins: allowedOrigins.length === 0 && cors === undefined ? undefined : new CrossOriginGate(allowedOrigins, cors),
    editRequest: allEdits(policy.requestHeaders),
    editResponse: allEdits(policy.responseHeaders),
    maxBodyBytes: policy.maxBodyBytes ?? Number.POSITIVE_INFINITY,
    failureStatuses: new Set(policy.breaker?.statuses),
  };
}

function addressTest({ allowAddresses, denyAddresses }: EffectivePolicy): (address: string) => boolean {
  if (allowAddresses.length === 0 && denyAddresses.length === 0) return () => true;
  const allowed = allowAddresses.map(createNetworkTest);
  const isDenied = createNetworkTest(denyAddresses);
  return (address) => allowed.every((isIn) => isIn(address)) && !isDenied(address);
}

function allEdits(rules: EffectivePolicy['requestHeaders']): HeaderEdit | undefined {
  const edits = rules.map(createHeaderEdit).filter((edit) => edit !== undefined);
  if (edits.length === 0) return undefined;
  return (fields) => edits.reduce((edited, edit) => edit(edited), fields);
}

interface RuleFacts {
  readonly rules: Rules;
  /** Origin of the page behind the request. */
  readonly origin: string | undefined;
  readonly quotaFields: FieldLines;
}

interface GuardHooks {
  /** Whether the origin's answer is enough to know: a relay, or a probe that many wait for, may last for hours. */
  readonly settlesEarly: boolean;
  settle(vote: BreakerVote): void;
  leave(): void;
}

class GuardedAdmission implements Admission {
  readonly #facts: RuleFacts;
  readonly #hooks: GuardHooks;
  #vote: BreakerVote;
  #hasSettled = false;

  constructor(facts: RuleFacts, hooks: GuardHooks) {
    this.#facts = facts;
    this.#hooks = hooks;
  }

  get maxBodyBytes(): number {
    return this.#facts.rules.maxBodyBytes;
  }

  get requestTimeoutMs(): number | undefined {
    return this.#facts.rules.policy.requestTimeoutMs;
  }

  get idleTimeoutMs(): number | undefined {
    return this.#facts.rules.policy.idleTimeoutMs;
  }

  requestHead(head: RequestHead): RequestHead {
    const { editRequest } = this.#facts.rules;
    return editRequest === undefined ? head : { ...head, fields: editRequest(head.fields) };
  }

  responseHead(head: ResponseHead): ResponseHead {
    const { rules, origin, quotaFields } = this.#facts;
    const shared = rules.origins?.responseFields(head.fields, origin) ?? head.fields;
    const edited = rules.editResponse?.(shared) ?? shared;
    if (edited === head.fields && quotaFields.length === 0) return head;
    return { ...head, fields: quotaFields.length === 0 ? edited : [...edited, ...quotaFields] };
  }

  answered(status: number): void {
    this.#vote = this.#facts.rules.failureStatuses.has(status) ? 'failure' : 'success';
    if (this.#hooks.settlesEarly) this.#settle(this.#vote);
  }

  ended(error: GiraffeError | undefined): void {
    this.#settle(error === undefined ? this.#vote : voteOf(error));
    this.#hooks.leave();
  }

  #settle(vote: BreakerVote): void {
    if (this.#hasSettled) return;
    this.#hasSettled = true;
    this.#hooks.settle(vote);
  }
}

/** Only what is the origin's fault counts against it: neither a loop nor a pause that was too long for its tunnel does. */
const harmless: ReadonlySet<ErrorCode> = new Set(['GIR_ERR_LOOP', 'GIR_ERR_IDLE_TIMEOUT']);

function voteOf(error: GiraffeError): BreakerVote {
  return error.entry.side === 'origin' && !harmless.has(error.code) ? 'failure' : undefined;
}

/** The word for a request that found a bucket empty. */
export function rateLimited([, bucket]: Quota, shown: readonly Quota[]): Verdict {
  return refused('GIR_ERR_RATE_LIMITED', [retryAfter(bucket.waitMs), ...rateLimitFields(shown)]);
}

/** The word for a request that is not let in. @param fields Field lines of the response. */
export function refused(code: ErrorCode, fields: FieldLines = []): Verdict {
  return { kind: 'refused', error: new GiraffeError(code, undefined, { fields }) };
}

/** Never 0, which would ask the client to come again at once. */
function retryAfter(waitMs: number): FieldLine {
  return ['Retry-After', String(Math.max(1, seconds(waitMs)))];
}
