/** Things that a test starts in a loop and that all end with it. Node 24 has AsyncDisposableStack for it. */

/** Ends what it was given, the latest first. */
export class Disposables implements AsyncDisposable {
  readonly #all: AsyncDisposable[] = [];

  /** Takes something in and returns it. */
  use<T extends AsyncDisposable>(disposable: T): T {
    this.#all.push(disposable);
    return disposable;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const disposable of this.#all.splice(0).reverse()) await disposable[Symbol.asyncDispose]();
  }
}
