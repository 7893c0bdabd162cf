/**
 * Extensions that a section of the configuration picks, in force: made at the start, made anew when the section changes,
 * and ended when nobody can be using them any more.
 */
import { isDeepStrictEqual } from 'node:util';
import { Lifetimes } from '../lifecycle/lifetimes.ts';
import type { PreparedChange, ReloadPart } from '../lifecycle/reload-part.ts';
import type { ConfigWithFile } from '../settings/program-config.ts';

/** Questions that an extension was asked before it was replaced have this long for their answer, in milliseconds. */
const farewellMs = 10_000;

/** What was made of a section, and how it ends. */
export interface Made<T> {
  readonly value: T;
  end(): Promise<void>;
}

/** Makes what ends together. When the work fails, what it kept until then is ended. */
export async function madeTogether<T>(work: (keep: <V>(made: Made<V>) => V) => Promise<T>): Promise<Made<T>> {
  const lifetimes = new Lifetimes();
  const end = () => lifetimes[Symbol.asyncDispose]();
  try {
    const value = await work((made) => {
      lifetimes.defer(() => made.end());
      return made.value;
    });
    return { value, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** How to make something of a section. */
export interface Selection<T> {
  /** Returns the section. */
  readonly section: (config: ConfigWithFile) => unknown;
  readonly make: (config: ConfigWithFile) => Promise<Made<T>>;
  /** Puts another value in the place of the first one. */
  readonly use: (value: T) => void;
}

/** What one section picks. */
export class SelectedExtension<T> implements ReloadPart, AsyncDisposable {
  readonly #selection: Selection<T>;
  #section: unknown;
  #made: Made<T>;
  /** Those that were replaced and are not ended yet. */
  readonly #leaving = new Map<Made<T>, NodeJS.Timeout>();

  private constructor(selection: Selection<T>, section: unknown, made: Made<T>) {
    this.#selection = selection;
    this.#section = section;
    this.#made = made;
  }

  /** Makes the first one. Throws GIR_ERR_CONFIG or GIR_ERR_EXTENSION_LOAD. */
  static async start<T>(selection: Selection<T>, config: ConfigWithFile): Promise<SelectedExtension<T>> {
    return new SelectedExtension(selection, selection.section(config), await selection.make(config));
  }

  get value(): T {
    return this.#made.value;
  }

  async prepare(next: ConfigWithFile): Promise<PreparedChange | undefined> {
    const section = this.#selection.section(next);
    if (isDeepStrictEqual(section, this.#section)) return undefined;
    const made = await this.#selection.make(next);
    return {
      apply: () => {
        const former = this.#made;
        this.#section = section;
        this.#made = made;
        this.#selection.use(made.value);
        this.#leaving.set(former, setTimeout(() => void this.#end(former), farewellMs).unref());
      },
      discard: () => made.end(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const former of [...this.#leaving.keys()]) await this.#end(former);
    await this.#made.end();
  }

  /** An extension that fails to end can do no more harm than to leave something behind. */
  async #end(former: Made<T>): Promise<void> {
    clearTimeout(this.#leaving.get(former));
    this.#leaving.delete(former);
    await former.end().catch(() => undefined);
  }
}
