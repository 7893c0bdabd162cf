/**
 * One admitted request under the policy of its endpoint: what is changed on its way, and what its end means for places and
 * breaker. One object for each request and no closure: this is the hot path.
 */
import type { ErrorCode } from '../../errors/codes.ts';
import type { GiraffeError } from '../../errors/giraffe-error.ts';
import type { FieldLines } from '../../http/field-line.ts';
import type { RequestHead, ResponseHead } from '../../http/message.ts';
import type { Admission } from './admission.ts';
import type { BreakerVote, CircuitBreaker } from './circuit-breaker.ts';
import type { Rules } from './compiled-rules.ts';

/** Requests and upgraded connections that have a place at an endpoint. */
export interface Places {
  exchanges: number;
  relays: number;
}

/** What an admission is about. */
export interface AdmissionFacts {
  readonly rules: Rules;
  /** Origin of the page behind the request. */
  readonly origin: string | undefined;
  /** Lines by which the client sees its quota. */
  readonly quotaFields: FieldLines;
  readonly places: Places;
  readonly kind: keyof Places;
  readonly breaker: CircuitBreaker | undefined;
  /** Whether this request finds out for an open breaker. */
  readonly isProbe: boolean;
  readonly nowMs: () => number;
}

/** The admission. */
export class GuardedAdmission implements Admission {
  readonly #facts: AdmissionFacts;
  #vote: BreakerVote;
  #hasSettled = false;

  /** Takes a place, which {@link ended} gives back. */
  constructor(facts: AdmissionFacts) {
    this.#facts = facts;
    facts.places[facts.kind] += 1;
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
    return { ...head, fields: quotaFields.length === 0 ? edited : edited.concat(quotaFields) };
  }

  answered(status: number): void {
    const { rules, isProbe, kind } = this.#facts;
    this.#vote = rules.failureStatuses.has(status) ? 'failure' : 'success';
    // A relay, or a probe that many wait for, may last for hours: the origin's answer is enough to know.
    if (isProbe || kind === 'relays') this.#settle(this.#vote);
  }

  ended(error: GiraffeError | undefined): void {
    this.#settle(error === undefined ? this.#vote : voteOf(error));
    this.#facts.places[this.#facts.kind] -= 1;
  }

  #settle(vote: BreakerVote): void {
    if (this.#hasSettled) return;
    this.#hasSettled = true;
    const { breaker, isProbe, nowMs } = this.#facts;
    breaker?.settle(vote, isProbe, nowMs());
  }
}

/** Only what is the origin's fault counts against it: neither a loop nor a pause that was too long for its tunnel does. */
const harmless: ReadonlySet<ErrorCode> = new Set(['GIR_ERR_LOOP', 'GIR_ERR_IDLE_TIMEOUT']);

function voteOf(error: GiraffeError): BreakerVote {
  return error.entry.side === 'origin' && !harmless.has(error.code) ? 'failure' : undefined;
}
