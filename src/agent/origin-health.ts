/**
 * Knows whether the origin of one tunnel is up, and tells of each change once.
 *
 * With a health check it looks at intervals, and only what it sees there counts. Without one the exchanges tell that the
 * origin cannot be reached; it then looks until it can be connected to again, and costs nothing otherwise.
 */
import type { GiraffeError } from '../errors/giraffe-error.ts';
import type { HealthCheck } from './agent-options.ts';
import { probeOrigin } from './origin-probe.ts';
import type { OriginDialer } from './origin-socket.ts';

/** Without a health check, an origin that is away is looked for this often, and each look may take so long. */
const recoveryMs = 1000;
const recoveryTimeoutMs = 2000;

/** What a health watch needs. */
export interface OriginHealthOptions {
  readonly dialer: OriginDialer;
  /** Undefined: the exchanges tell. */
  readonly check: HealthCheck | undefined;
  /** The origin is down and why, or (undefined) up again. */
  onChange(error: GiraffeError | undefined): void;
  /** Looks at the origin. Default {@link probeOrigin}. */
  readonly probe?: typeof probeOrigin;
}

/** The health of one tunnel's origin. */
export class OriginHealth {
  readonly #options: OriginHealthOptions;
  readonly #probe: typeof probeOrigin;
  #error: GiraffeError | undefined;
  /** Results in a row that contradict the present state. */
  #contradictions = 0;
  #timer: NodeJS.Timeout | undefined;
  #isEnded = false;

  constructor(options: OriginHealthOptions) {
    this.#options = options;
    this.#probe = options.probe ?? probeOrigin;
  }

  get isDown(): boolean {
    return this.#error !== undefined;
  }

  /** Begins with the health check, if there is one. */
  start(): void {
    if (this.#options.check !== undefined) void this.#look();
  }

  /** Takes note of what an exchange saw: why the origin cannot be reached, or (undefined) that it can. */
  report(error: GiraffeError | undefined): void {
    if (this.#options.check !== undefined || this.#isEnded) return;
    this.#change(error);
    clearTimeout(this.#timer);
    if (error !== undefined) this.#lookLater(recoveryMs);
  }

  /** Looks no more. */
  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const { check, dialer } = this.#options;
    const error = await this.#probe(dialer, check?.path, check?.timeoutMs ?? recoveryTimeoutMs);
    if (this.#isEnded) return;
    if (check === undefined) {
      if (error === undefined) return this.#change(undefined);
      this.#lookLater(recoveryMs);
      return;
    }
    this.#count(error, check);
    this.#lookLater(check.intervalMs);
  }

  #count(error: GiraffeError | undefined, check: HealthCheck): void {
    if (this.isDown === (error !== undefined)) {
      this.#contradictions = 0;
      return;
    }
    this.#contradictions += 1;
    if (this.#contradictions >= (error === undefined ? check.healthyAfter : check.unhealthyAfter)) this.#change(error);
  }

  #change(error: GiraffeError | undefined): void {
    const wasDown = this.isDown;
    this.#error = error;
    this.#contradictions = 0;
    if (wasDown !== this.isDown) this.#options.onChange(error);
  }

  #lookLater(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#look(), delayMs);
  }
}
