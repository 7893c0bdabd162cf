/**
 * Cuts one head or trailer section out of a byte stream, however it is split into chunks.
 *
 * A section that is whole inside one chunk costs one search and one string. Otherwise at most `maxHeadBytes` + 1
 * octets are held, and what has come so far is checked at once, so that a broken head never waits for its end.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { assertCleanText, cr, type HeadLimits, type SyntaxCodes, tooManyLines } from './head-syntax.ts';

const sectionEnd = Buffer.from('\r\n\r\n', 'latin1');
const firstBufferBytes = 1024;

/** Collects one section after another. */
export class SectionReader {
  /** Offset, in the chunk of the last successful {@link read}, of the first octet behind the section. */
  endOffset = 0;
  readonly #limits: HeadLimits;
  readonly #codes: SyntaxCodes;
  #held: Buffer | undefined;
  #heldBytes = 0;
  #lineCount = 0;

  constructor(limits: HeadLimits, codes: SyntaxCodes) {
    this.#limits = limits;
    this.#codes = codes;
  }

  /** How many octets of an unfinished section are held. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Takes octets from `offset` on.
   *
   * @returns The section with the CRLF of its last line but without the empty line, clean as in
   *   {@link assertCleanText}; undefined while it is unfinished.
   * @throws The invalid code for an unclean octet, the too-large code as soon as a limit is passed.
   */
  read(chunk: Buffer, offset: number): string | undefined {
    if (this.#heldBytes !== 0) return this.#readOn(chunk, offset);
    const at = chunk.indexOf(sectionEnd, offset);
    if (at === -1) return this.#readOn(chunk, offset);
    this.endOffset = at + sectionEnd.length;
    this.#assertSize(this.endOffset - offset);
    const text = chunk.toString('latin1', offset, at + 2);
    assertCleanText(text, this.#codes.invalid);
    return text;
  }

  /** The first line without its CRLF, as soon as it is complete in an unfinished section. */
  firstLine(): string | undefined {
    if (this.#lineCount === 0 || this.#held === undefined) return undefined;
    return this.#held.toString('latin1', 0, this.#held.indexOf('\r\n'));
  }

  /** Forgets what is held. */
  clear(): void {
    this.#held = undefined;
    this.#heldBytes = 0;
    this.#lineCount = 0;
  }

  #readOn(chunk: Buffer, offset: number): string | undefined {
    const before = this.#heldBytes;
    const held = this.#hold(chunk, offset);
    const at = held.subarray(0, this.#heldBytes).indexOf(sectionEnd, Math.max(0, before - 3));
    const end = at === -1 ? this.#heldBytes : at + sectionEnd.length;
    this.#checkNews(held, before, end);
    this.#assertSize(end);
    if (at === -1) return undefined;

    this.endOffset = offset + end - before;
    this.clear();
    return held.toString('latin1', 0, at + 2);
  }

  /** Appends the chunk, up to one octet above the limit, and returns the buffer that holds all. */
  #hold(chunk: Buffer, offset: number): Buffer {
    const capacity = this.#limits.maxHeadBytes + 1;
    const total = Math.min(capacity, this.#heldBytes + chunk.length - offset);
    let held = this.#held;
    if (held === undefined || held.length < total) {
      const grown = Buffer.allocUnsafe(Math.min(capacity, Math.max(firstBufferBytes, total * 2)));
      held?.copy(grown, 0, 0, this.#heldBytes);
      held = grown;
      this.#held = held;
    }
    chunk.copy(held, this.#heldBytes, offset, offset + total - this.#heldBytes);
    this.#heldBytes = total;
    return held;
  }

  /** Checks the octets that came last, together with a CR that was the last one before them. */
  #checkNews(held: Buffer, before: number, end: number): void {
    const from = 0 < before && held[before - 1] === cr ? before - 1 : before;
    const news = held.toString('latin1', from, end);
    assertCleanText(news, this.#codes.invalid);
    for (let at = news.indexOf('\n'); at !== -1; at = news.indexOf('\n', at + 1)) this.#lineCount += 1;
    // The start line and the empty line are no field lines.
    const { maxFieldLines } = this.#limits;
    if (maxFieldLines + 2 < this.#lineCount) throw tooManyLines(maxFieldLines, this.#codes.tooLarge);
  }

  #assertSize(bytes: number): void {
    const { maxHeadBytes } = this.#limits;
    if (bytes <= maxHeadBytes) return;
    throw new GiraffeError(this.#codes.tooLarge, `a head or trailer section of more than ${maxHeadBytes} bytes`);
  }
}
