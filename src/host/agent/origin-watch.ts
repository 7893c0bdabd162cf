/**
 * Knows whether the service behind a tunnel is there, and tells of each change once.
 *
 * Looks by itself at the start and while the service is away; afterwards the agent's exchanges tell.
 */
import { type Target, targetText } from '../../http/target.ts';
import { probeTarget } from './agent-target.ts';

const retryMs = 1_000;

/** Reasons about which a TCP connection says nothing: the agent tells when they are over. */
const tlsReasons: ReadonlySet<string> = new Set(['GIR_ERR_ORIGIN_CERTIFICATE', 'GIR_ERR_ORIGIN_TLS']);

/** A change: `reason` is undefined when the service is there. */
export type OriginListener = (reason: string | undefined) => void;

/** Watches the targets of all tunnels, each once. */
export class OriginWatches implements Disposable {
  readonly #watches: ReadonlyMap<string, OriginWatch>;

  /** @param onChange Told which target has changed, and why it is away. */
  constructor(targets: readonly Target[], onChange: (target: string, reason: string | undefined) => void) {
    this.#watches = new Map(
      targets.map((target) => {
        const name = targetText(target);
        return [name, new OriginWatch(target, (reason) => onChange(name, reason))];
      }),
    );
  }

  /** Looks once at each. */
  async start(): Promise<void> {
    await Promise.all([...this.#watches.values()].map((watch) => watch.start()));
  }

  /** Takes note of what the agent saw. */
  report(target: string, reason: string | undefined): void {
    this.#watches.get(target)?.report(reason);
  }

  /** Watches these targets alone from now on. */
  keep(targets: readonly Target[]): void {
    const names = new Set(targets.map(targetText));
    for (const [name, watch] of this.#watches) if (!names.has(name)) watch[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
  }
}

/** Watches one target. */
export class OriginWatch implements Disposable {
  readonly #target: Target;
  readonly #onChange: OriginListener;
  readonly #probe: (target: Target) => Promise<string | undefined>;
  #isAway = false;
  #isEnded = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(target: Target, onChange: OriginListener, probe = (aim: Target) => probeTarget(aim)) {
    this.#target = target;
    this.#onChange = onChange;
    this.#probe = probe;
  }

  /** Looks once, and again and again while nothing is there. Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look();
  }

  /** Takes note of what the agent saw. */
  report(reason: string | undefined): void {
    if (this.#isEnded || this.#isAway === (reason !== undefined)) return;
    this.#isAway = reason !== undefined;
    this.#onChange(reason);
    clearTimeout(this.#timer);
    if (reason !== undefined && !tlsReasons.has(reason)) this.#lookLater();
  }

  [Symbol.dispose](): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const reason = await this.#probe(this.#target);
    if (this.#isEnded) return;
    if (reason !== undefined && this.#isAway) this.#lookLater();
    else this.report(reason);
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => void this.#look(), retryMs);
    this.#timer.unref();
  }
}
