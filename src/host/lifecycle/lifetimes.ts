/** Ends what was started, last first, once, and whatever happens in between. */

/** A stack of things to end. */
export class Lifetimes implements AsyncDisposable {
  readonly #ends: (() => unknown)[] = [];

  /** Remembers how to end something that was just started. */
  defer(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** Remembers to dispose of something, and returns it. */
  use<T extends AsyncDisposable>(resource: T): T {
    this.defer(() => resource[Symbol.asyncDispose]());
    return resource;
  }

  /** Ends everything, in reverse order. Throws the first error once all has been tried. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = [];
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) {
      try {
        await end();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
