/**
 * Decodes one chunked body. Only chunk lines are looked at octet by octet; data passes through as views.
 *
 * Stricter than RFC 9112 asks: sizes of at most 16 digits, bounded extensions, CRLF and nothing else as line end.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { FieldLines } from './field-line.ts';
import { cr, type HeadLimits, lf, parseFieldLines, type SyntaxCodes, space, tab } from './head-syntax.ts';
import { SectionReader } from './section-reader.ts';
import { isAllowedTrailer } from './trailer-fields.ts';

/** Octets of one chunk line: size and extensions, without CRLF. */
const maxChunkLineBytes = 4 * 1024;
const maxSizeDigits = 16;

// Extensions may not outweigh data for ever: what exceeds 16 octets of line plus twice the data is added up.
const maxExcessBytes = 16 * 1024;
const freeLineBytes = 16;

type Step =
  | 'size'
  | 'blank'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailers-start'
  | 'trailers-lf'
  | 'trailers'
  | 'done';

/** Decoder of one body; make a new one for the next. */
export class ChunkedDecoder {
  /** Trailer fields, once {@link isDone}. Those that must not be trailers are left out. */
  trailers: FieldLines = [];
  readonly #limits: HeadLimits;
  readonly #codes: SyntaxCodes;
  readonly #onData: (data: Buffer) => void;
  #step: Step = 'size';
  #lineBytes = 0;
  #digits = 0;
  #size = 0;
  #excessBytes = 0;
  #section: SectionReader | undefined;

  constructor(onData: (data: Buffer) => void, limits: HeadLimits, codes: SyntaxCodes) {
    this.#onData = onData;
    this.#limits = limits;
    this.#codes = codes;
  }

  /** Whether the last chunk and the trailer section have been read. */
  get isDone(): boolean {
    return this.#step === 'done';
  }

  /**
   * Takes octets from `offset` on and returns the offset behind the last one that belongs to the body.
   *
   * @throws The invalid code for any broken rule, the too-large code for a trailer section above its limits.
   * @see RFC 9112 section 7.1 (Chunked Transfer Coding)
   */
  push(chunk: Buffer, offset: number): number {
    let at = offset;
    while (at < chunk.length && this.#step !== 'done') {
      if (this.#step === 'data') at = this.#passData(chunk, at);
      else if (this.#step === 'trailers') at = this.#readTrailers(chunk, at);
      else at += this.#takeOctet(chunk[at] ?? 0);
    }
    return at;
  }

  /** Takes one octet of framing and returns how many were used: 0 leaves it to the section reader. */
  #takeOctet(octet: number): 0 | 1 {
    switch (this.#step) {
      case 'size-lf':
        this.#expect(octet, lf, 'a chunk line does not end in CRLF');
        this.#beginData();
        return 1;
      case 'data-cr':
        this.#expect(octet, cr, 'chunk data is longer than its size');
        this.#step = 'data-lf';
        return 1;
      case 'data-lf':
        this.#expect(octet, lf, 'chunk data does not end in CRLF');
        this.#step = 'size';
        return 1;
      case 'trailers-start':
        this.#step = octet === cr ? 'trailers-lf' : 'trailers';
        return octet === cr ? 1 : 0;
      case 'trailers-lf':
        this.#expect(octet, lf, 'the trailer section does not end in CRLF');
        this.#step = 'done';
        return 1;
      default:
        this.#takeLineOctet(octet);
        return 1;
    }
  }

  #takeLineOctet(octet: number): void {
    if (octet === cr && 0 < this.#digits && this.#step !== 'blank') {
      this.#step = 'size-lf';
      return;
    }
    this.#lineBytes += 1;
    if (maxChunkLineBytes < this.#lineBytes) throw this.#invalid('a chunk line of more than 4 KiB');
    if (this.#step === 'extension') {
      if ((octet < space && octet !== tab) || octet === 0x7f) {
        throw this.#invalid('a control character in a chunk extension');
      }
      return;
    }
    const digit = this.#step === 'size' ? hexDigit(octet) : -1;
    if (digit !== -1) {
      this.#digits += 1;
      if (maxSizeDigits < this.#digits) throw this.#invalid('a chunk size of more than 16 digits');
      this.#size = this.#size * 16 + digit;
    } else if (octet === 0x3b && 0 < this.#digits) {
      this.#step = 'extension';
    } else if ((octet === space || octet === tab) && 0 < this.#digits) {
      this.#step = 'blank';
    } else {
      throw this.#invalid('a chunk size that is not a hexadecimal number');
    }
  }

  #beginData(): void {
    if (!Number.isSafeInteger(this.#size)) throw this.#invalid('a chunk size above 2^53 - 1');
    this.#excessBytes += Math.max(0, this.#lineBytes - freeLineBytes - 2 * this.#size);
    if (maxExcessBytes < this.#excessBytes) throw this.#invalid('chunk extensions far larger than the data');
    this.#step = this.#size === 0 ? 'trailers-start' : 'data';
    this.#lineBytes = 0;
    this.#digits = 0;
  }

  #passData(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#size);
    this.#size -= end - offset;
    if (this.#size === 0) this.#step = 'data-cr';
    this.#onData(offset === 0 && end === chunk.length ? chunk : chunk.subarray(offset, end));
    return end;
  }

  #readTrailers(chunk: Buffer, offset: number): number {
    this.#section ??= new SectionReader(this.#limits, this.#codes);
    const text = this.#section.read(chunk, offset);
    if (text === undefined) return chunk.length;
    const fields = parseFieldLines(text, 0, this.#limits.maxFieldLines, this.#codes);
    this.trailers = fields.filter(isAllowedTrailer);
    this.#step = 'done';
    return this.#section.endOffset;
  }

  #expect(octet: number, expected: number, rule: string): void {
    if (octet !== expected) throw this.#invalid(rule);
  }

  #invalid(rule: string): GiraffeError {
    return new GiraffeError(this.#codes.invalid, rule);
  }
}

/** Returns the value of a hexadecimal digit, or -1. */
function hexDigit(octet: number): number {
  if (0x30 <= octet && octet <= 0x39) return octet - 0x30;
  const lower = octet | 0x20;
  return 0x61 <= lower && lower <= 0x66 ? lower - 0x57 : -1;
}
