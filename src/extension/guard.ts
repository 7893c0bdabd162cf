/**
 * The one way in which giraffe calls an extension that is in use: what it throws becomes a coded error, what it promises
 * gets a deadline, and both are counted. It does not log: what a fault means is the caller's to say.
 */
import { durationText } from '../errors/duration-text.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { ExtensionKind } from './contract.ts';
import type { CounterMetric } from './metrics-exporter.ts';

/** One extension in use. */
export interface ExtensionId {
  readonly kind: ExtensionKind;
  /** Name in the configuration. */
  readonly name: string;
}

/** Guards the extensions of one process. */
export class ExtensionGuard {
  /** By kind, then by name; both come from the configuration, so they are few. */
  readonly #faults = new Map<ExtensionKind, Map<string, number>>();

  /**
   * Calls an extension that answers at once.
   *
   * @param work Also throws for an answer that breaks the contract.
   * @throws {GiraffeError} GIR_ERR_EXTENSION_FAULT with what was thrown as its cause.
   */
  call<T>(id: ExtensionId, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw this.#fault(id, cause);
    }
  }

  /**
   * Calls an extension that answers later.
   *
   * @param timeoutMs Time for the answer, in milliseconds; the signal is aborted when it is over.
   * @param work Also throws for an answer that breaks the contract.
   * @throws {GiraffeError} GIR_ERR_EXTENSION_FAULT with what was thrown, or that it is late, as its cause.
   */
  async ask<T>(id: ExtensionId, timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = new Error(`no answer within ${durationText(timeoutMs)}`);
        reject(error);
        abort.abort(error);
      }, timeoutMs);
    });
    try {
      // In an async function, so that a throw before the promise is a rejection, too.
      return await Promise.race([(async () => work(abort.signal))(), late]);
    } catch (cause) {
      throw this.#fault(id, cause);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Faults since the start. */
  metric(): CounterMetric {
    const samples = [...this.#faults].flatMap(([kind, byName]) =>
      [...byName].map(([name, value]) => ({ labels: { kind, name }, value })),
    );
    return {
      kind: 'counter',
      name: 'giraffe_extension_faults_total',
      help: 'Calls into extensions that threw, broke their contract, or had no answer in time.',
      unit: '',
      samples,
    };
  }

  #fault({ kind, name }: ExtensionId, cause: unknown): GiraffeError {
    const byName = this.#faults.get(kind) ?? new Map<string, number>();
    this.#faults.set(kind, byName.set(name, (byName.get(name) ?? 0) + 1));
    return new GiraffeError('GIR_ERR_EXTENSION_FAULT', `the ${kind} ${name} failed`, { cause });
  }
}
