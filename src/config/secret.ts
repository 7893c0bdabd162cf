/**
 * A value that must not be shown: it writes itself as `[redacted]` wherever it is printed, logged or made JSON of.
 */
import { inspect } from 'node:util';

/** What is shown instead of a secret. */
export const redactedText = '[redacted]';

/** Holds a text that only {@link Secret.reveal} gives away. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns the text itself, for the one place that needs it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return redactedText;
  }

  toJSON(): string {
    return redactedText;
  }

  [inspect.custom](): string {
    return redactedText;
  }
}
