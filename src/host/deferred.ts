/** A promise and the function that resolves it. */

/** Something that is awaited here and decided elsewhere. The first decision counts. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  readonly #resolve: (value: T) => void;

  constructor() {
    let resolve: (value: T) => void = () => undefined;
    this.promise = new Promise((settle) => {
      resolve = settle;
    });
    this.#resolve = resolve;
  }

  /** Resolves the promise; without effect from the second time on. */
  resolve(value: T): void {
    this.#resolve(value);
  }
}
