/**
 * The part of HTTP/1.1 parsing that requests and responses share: heads, bodies, what comes behind them, and states.
 *
 * It knows octets and framing. What a start line and the fields mean is decided by the MessageRules of its owner,
 * RequestParser or ResponseParser.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import type { FieldLines } from './field-line.ts';
import { cr, type HeadLimits, lf, type SyntaxCodes } from './head-syntax.ts';
import type { BodyFraming } from './message.ts';
import { SectionReader } from './section-reader.ts';

/**
 * Where a parser is: `idle`, no octet of a message seen yet; `head`, `body`, inside one; `complete`, behind it;
 * `stopped`, behind a head after which the octets are opaque; `failed`, after any throw, for good.
 */
export type ParserState = 'idle' | 'head' | 'body' | 'complete' | 'stopped' | 'failed';

/** How the owner wants to go on after a head: with a body, another head (`interim`), or raw octets (`switched`). */
export type AfterHead = BodyFraming | 'interim' | 'switched';

/** What differs between requests and responses. */
export interface MessageRules extends SyntaxCodes {
  /** Whether one empty line before the start line is ignored (RFC 9112 section 2.2). */
  readonly toleratesEmptyLine: boolean;
  /** Throws when a start line breaks the grammar; called early, while the rest of the head is missing. */
  assertStartLine(line: string): void;
  /** Parses a head, hands it to the sink, and says what follows. */
  onHeadText(text: string): AfterHead;
  onBody(chunk: Buffer): void;
  onEnd(trailers: FieldLines): void;
}

/** Push parser of one message after another, for the messages of one connection. */
export abstract class MessageParser {
  readonly #rules: MessageRules;
  readonly #limits: HeadLimits;
  readonly #section: SectionReader;
  #state: ParserState = 'idle';
  #emptyLine: 'unseen' | 'cr' | 'seen' = 'unseen';
  #isStartLineChecked = false;
  #isInsideOnHead = false;
  #body: Exclude<BodyFraming['kind'], 'none'> = 'length';
  #missingBytes = 0;
  #chunked: ChunkedDecoder | undefined;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(rules: MessageRules, limits: HeadLimits) {
    this.#rules = rules;
    this.#limits = limits;
    this.#section = new SectionReader(limits, rules);
  }

  get state(): ParserState {
    return this.#state;
  }

  /** How many octets behind a complete or stopped message are held. Unbounded here: the owner stops reading. */
  get restBytes(): number {
    return this.#restBytes;
  }

  /** Whether octets of an unfinished head are held. */
  protected get hasPartOfHead(): boolean {
    return 0 < this.#section.heldBytes;
  }

  protected get isUntilClose(): boolean {
    return this.#state === 'body' && this.#body === 'until-close';
  }

  /**
   * Takes octets; behind a complete or stopped message it keeps them for {@link takeRest}.
   *
   * @throws The invalid or too-large code of the rules, once; whatever is thrown leaves the state `failed`, in which octets
   *   are ignored.
   */
  push(chunk: Buffer): void {
    if (chunk.length === 0 || this.#state === 'failed') return;
    if (this.#state === 'complete' || this.#state === 'stopped') return this.#keep(chunk, 0);
    try {
      if (this.#state === 'body') this.#readBody(chunk, 0);
      else this.#readHeads(chunk);
    } catch (error) {
      this.#fail();
      throw error;
    }
  }

  /** Declares what follows the head opaque, as after an upgrade; onEnd is not called. Only inside onHead. */
  stop(): void {
    if (!this.#isInsideOnHead) throw misuse('stop() belongs inside onHead');
    this.#state = 'stopped';
  }

  /** Hands out, once, the octets behind the complete or stopped message: views on what was pushed. */
  takeRest(): Buffer | undefined {
    const rest = this.#rest;
    if (rest.length === 0) return undefined;
    this.#rest = [];
    this.#restBytes = 0;
    return rest.length === 1 ? rest[0] : Buffer.concat(rest);
  }

  /** Gets ready for the next message, from `complete` or `stopped` only. The owner then pushes {@link takeRest}. */
  next(): void {
    if (this.#state !== 'complete' && this.#state !== 'stopped') throw misuse(`next() in state ${this.#state}`);
    this.#state = 'idle';
    this.#emptyLine = 'unseen';
  }

  /** Ends an until-close body. */
  protected end(): void {
    this.#state = 'complete';
    this.#rules.onEnd([]);
  }

  protected fail(error: GiraffeError): never {
    this.#fail();
    throw error;
  }

  #fail(): void {
    this.#state = 'failed';
    this.#section.clear();
    this.#chunked = undefined;
  }

  #readHeads(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'idle') {
        at = this.#skipEmptyLine(chunk, at);
        if (at === chunk.length) return;
        this.#state = 'head';
      }
      const text = this.#section.read(chunk, at);
      if (text === undefined) return this.#checkStartLine();
      at = this.#section.endOffset;
      this.#isStartLineChecked = false;
      const after = this.#reportHead(text);
      if (after === 'switched') this.#state = 'stopped';
      if (this.#state === 'stopped') return this.#keep(chunk, at);
      if (after !== 'interim' && after !== 'switched') return this.#beginBody(after, chunk, at);
    }
  }

  #skipEmptyLine(chunk: Buffer, offset: number): number {
    let at = offset;
    if (this.#rules.toleratesEmptyLine && this.#emptyLine === 'unseen' && chunk[at] === cr) {
      this.#emptyLine = 'cr';
      at += 1;
    }
    if (this.#emptyLine === 'cr' && at < chunk.length) {
      if (chunk[at] !== lf) throw new GiraffeError(this.#rules.invalid, 'a CR is not followed by LF');
      this.#emptyLine = 'seen';
      at += 1;
    }
    return at;
  }

  #checkStartLine(): void {
    if (this.#isStartLineChecked) return;
    const line = this.#section.firstLine();
    if (line === undefined) return;
    this.#rules.assertStartLine(line);
    this.#isStartLineChecked = true;
  }

  #reportHead(text: string): AfterHead {
    this.#isInsideOnHead = true;
    try {
      return this.#rules.onHeadText(text);
    } finally {
      this.#isInsideOnHead = false;
    }
  }

  #beginBody(framing: BodyFraming, chunk: Buffer, offset: number): void {
    if (framing.kind === 'none') return this.#complete(chunk, offset, []);
    this.#state = 'body';
    this.#body = framing.kind;
    if (framing.kind === 'length') {
      this.#missingBytes = framing.lengthBytes;
      if (framing.lengthBytes === 0) return this.#complete(chunk, offset, []);
    } else if (framing.kind === 'chunked') {
      this.#chunked = new ChunkedDecoder((data) => this.#rules.onBody(data), this.#limits, this.#rules);
    }
    if (offset < chunk.length) this.#readBody(chunk, offset);
  }

  #readBody(chunk: Buffer, offset: number): void {
    if (this.#chunked !== undefined) {
      const end = this.#chunked.push(chunk, offset);
      if (this.#chunked.isDone) this.#complete(chunk, end, this.#chunked.trailers);
      return;
    }
    if (this.#body === 'until-close') return this.#rules.onBody(offset === 0 ? chunk : chunk.subarray(offset));

    const end = Math.min(chunk.length, offset + this.#missingBytes);
    this.#missingBytes -= end - offset;
    this.#rules.onBody(offset === 0 && end === chunk.length ? chunk : chunk.subarray(offset, end));
    if (this.#missingBytes === 0) this.#complete(chunk, end, []);
  }

  /** Must be the last act of a push: the sink may start the next message inside onEnd. */
  #complete(chunk: Buffer, offset: number, trailers: FieldLines): void {
    this.#state = 'complete';
    this.#chunked = undefined;
    this.#keep(chunk, offset);
    this.#rules.onEnd(trailers);
  }

  #keep(chunk: Buffer, offset: number): void {
    if (offset === chunk.length) return;
    const kept = offset === 0 ? chunk : chunk.subarray(offset);
    this.#rest.push(kept);
    this.#restBytes += kept.length;
  }
}

function misuse(what: string): GiraffeError {
  return new GiraffeError('GIR_ERR_INTERNAL', `parser used wrongly: ${what}`);
}
