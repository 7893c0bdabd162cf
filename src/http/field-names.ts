/**
 * Sets of field names that every field of every message is looked up in, without regard to case.
 */

/** Signatures: the lowest five bits of the length and of the first character, which for letters are those of both cases. */
const signatures = 1024;

/** A set of field names. Most names that are not in it are told by length and first letter, without a copy in lower case. */
export class FieldNames {
  readonly #names: ReadonlySet<string>;
  readonly #hasSignature = new Uint8Array(signatures);

  /** @param names In lower case. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names);
    for (const name of names) this.#hasSignature[signatureOf(name)] = 1;
  }

  has(name: string): boolean {
    return this.#hasSignature[signatureOf(name)] === 1 && this.#names.has(name.toLowerCase());
  }

  /** As {@link has}, also in the spelling with `_` that origins with CGI-style variables confuse with `-`. */
  hasAlike(name: string): boolean {
    return this.#hasSignature[signatureOf(name)] === 1 && this.#names.has(name.toLowerCase().replaceAll('_', '-'));
  }
}

function signatureOf(name: string): number {
  return ((name.length & 31) << 5) | (name.charCodeAt(0) & 31);
}
