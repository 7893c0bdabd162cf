/**
 * Spares an origin that fails again and again: closed lets everything pass, open nothing, half-open one exchange that
 * finds out. Pure over the caller's clock.
 */
import type { BreakerRule } from '../../protocol/tunnel-policy.ts';

/** Where a breaker stands. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** What an exchange says about its origin; undefined when it says nothing, as when the client left. */
export type BreakerVote = 'success' | 'failure' | undefined;

/** A breaker's word: pass, pass as the one that finds out, or wait for so many milliseconds. */
export type BreakerVerdict =
  | { readonly kind: 'pass'; readonly isProbe: boolean }
  | { readonly kind: 'open'; readonly waitMs: number };

const pass: BreakerVerdict = { kind: 'pass', isProbe: false };
const probe: BreakerVerdict = { kind: 'pass', isProbe: true };

/** One breaker. */
export class CircuitBreaker {
  #rule: Pick<BreakerRule, 'failures' | 'openMs'>;
  #failures = 0;
  #openedMs: number | undefined;
  #isProbing = false;
  readonly #onChange: (state: BreakerState) => void;
  /** What was last told. */
  #told: BreakerState = 'closed';

  /** @param onChange Called when it stands elsewhere than before; that its time is over shows with the next exchange. */
  constructor(rule: Pick<BreakerRule, 'failures' | 'openMs'>, onChange: (state: BreakerState) => void = () => {}) {
    this.#rule = rule;
    this.#onChange = onChange;
  }

  state(nowMs: number): BreakerState {
    if (this.#openedMs === undefined) return 'closed';
    return nowMs - this.#openedMs < this.#rule.openMs ? 'open' : 'half-open';
  }

  /** Asks whether an exchange may pass. One that is a probe must be followed by {@link settle}. */
  admit(nowMs: number): BreakerVerdict {
    if (this.#openedMs === undefined) return pass;
    const leftMs = this.#openedMs + this.#rule.openMs - nowMs;
    if (leftMs > 0) return { kind: 'open', waitMs: leftMs };
    // While the probe is under way nobody knows more; a second is soon enough to ask again.
    if (this.#isProbing) return { kind: 'open', waitMs: 1000 };
    this.#isProbing = true;
    this.#tell('half-open');
    return probe;
  }

  /** Notes what an admitted exchange says. `vote` undefined of a probe lets the next exchange be one. */
  settle(vote: BreakerVote, isProbe: boolean, nowMs: number): void {
    if (isProbe) this.#isProbing = false;
    // Exchanges from before it opened have no say any more.
    else if (this.#openedMs !== undefined) return;
    if (vote === 'success') this.#close();
    else if (vote === 'failure') this.#failed(isProbe, nowMs);
  }

  /** Goes on with another rule, in the same state. */
  change(rule: Pick<BreakerRule, 'failures' | 'openMs'>): void {
    this.#rule = rule;
  }

  #close(): void {
    this.#failures = 0;
    this.#openedMs = undefined;
    this.#tell('closed');
  }

  #failed(isProbe: boolean, nowMs: number): void {
    this.#failures += 1;
    if (!isProbe && this.#failures < this.#rule.failures) return;
    this.#openedMs = nowMs;
    this.#tell('open');
  }

  #tell(state: BreakerState): void {
    if (state === this.#told) return;
    this.#told = state;
    this.#onChange(state);
  }
}
