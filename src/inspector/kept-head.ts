/**
 * A head as it is kept: its field lines as one string.
 *
 * Of the hundreds that are kept, V8 copies all with each collection of its young generation: one string costs it far less
 * than dozens of small arrays and slices.
 */
import type { FieldLine, FieldLines } from '../http/field-line.ts';

const noFields: FieldLines = [];

/** One kept head, of a request or a response. */
export class KeptHead<Head extends { readonly fields: FieldLines }> {
  readonly #head: Head;
  /** A name, a value, and so on, a line for each: neither has a line feed. */
  readonly #lines: string;
  readonly #startLength: number;

  /** @param startLength Characters of its target or reason phrase. */
  constructor(head: Head, startLength: number) {
    this.#startLength = startLength;
    this.#head = { ...head, fields: noFields };
    this.#lines = flat(linesOf(head.fields));
  }

  /** What it costs at most, in characters: a long target keeps the text that it was cut from, with all of the lines. */
  get length(): number {
    return this.#startLength + 2 * this.#lines.length;
  }

  /** Makes the head again. */
  read(): Head {
    const fields: FieldLine[] = [];
    const lines = this.#lines.split('\n');
    for (let at = 0; at + 1 < lines.length; at += 2) fields.push([lines[at] ?? '', lines[at + 1] ?? '']);
    return { ...this.#head, fields };
  }
}

function linesOf(fields: FieldLines): string {
  let text = '';
  for (const [name, value] of fields) text += `${name}\n${value}\n`;
  return text;
}

/** V8 puts a text together only when somebody looks into it, and until then keeps all of its pieces. */
function flat(text: string): string {
  text.charCodeAt(0);
  return text;
}
