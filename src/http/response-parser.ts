/**
 * Parses responses from origins. How a body ends depends on the request, so each answer is announced with its method.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { decimal } from './decimal.ts';
import type { FieldLines } from './field-line.ts';
import { type Framing, parseFraming } from './framing.ts';
import { defaultResponseLimits, type HeadLimits, parseFieldLines, space } from './head-syntax.ts';
import { type BodyFraming, isBodyless, type ResponseHead } from './message.ts';
import { type AfterHead, MessageParser, type MessageRules } from './message-parser.ts';

/** Receives what the parser reads. The calls are synchronous; a throw leaves the parser `failed`. */
export interface ResponseSink {
  /** Called for each 1xx, with `body` none, and for the final response. */
  onHead(head: ResponseHead): void;
  /** A view on what was pushed, never empty: copy what outlives the buffer. */
  onBody(chunk: Buffer): void;
  /** The final response is complete. Not called after a 101. */
  onEnd(trailers: FieldLines): void;
}

/** Push parser for the responses of one connection. Throws GIR_ERR_ORIGIN_PROTOCOL and GIR_ERR_RESPONSE_HEADERS_TOO_LARGE. */
export class ResponseParser extends MessageParser {
  readonly #rules: ResponseRules;

  /** @param limits Bounds of each head and of the trailer section. Default 256 KiB and 1024 lines. */
  constructor(sink: ResponseSink, limits: HeadLimits = defaultResponseLimits) {
    const rules = new ResponseRules(sink, limits);
    super(rules, limits);
    this.#rules = rules;
  }

  /**
   * Arms the parser for the answer to a request of this method, from `idle` or `complete`.
   * Without it, the answer is read as one to GET and its absence is no error.
   */
  expect(method: string): void {
    if (this.state !== 'idle') this.next();
    this.#rules.method = method;
    this.#rules.isAnswerDue = true;
  }

  /**
   * Tells that the origin has ended its side: ends an until-close body, and is nothing when no answer is due.
   *
   * @throws GIR_ERR_ORIGIN_CLOSED when an answer is due and no octet of its final head came,
   *   GIR_ERR_RESPONSE_INCOMPLETE when it ends inside a head or body.
   */
  finish(): void {
    const { state } = this;
    if (this.isUntilClose) return this.end();
    if (state === 'body') this.fail(new GiraffeError('GIR_ERR_RESPONSE_INCOMPLETE', 'closed inside a body'));
    if (state === 'head' && this.hasPartOfHead) {
      this.fail(new GiraffeError('GIR_ERR_RESPONSE_INCOMPLETE', 'closed inside a head'));
    }
    if (state === 'head' || (state === 'idle' && this.#rules.isAnswerDue)) {
      this.fail(new GiraffeError('GIR_ERR_ORIGIN_CLOSED', 'closed before a response'));
    }
  }
}

const noBody: BodyFraming = { kind: 'none' };
const chunkedBody: BodyFraming = { kind: 'chunked' };
const untilCloseBody: BodyFraming = { kind: 'until-close' };

class ResponseRules implements MessageRules {
  readonly invalid = 'GIR_ERR_ORIGIN_PROTOCOL';
  readonly tooLarge = 'GIR_ERR_RESPONSE_HEADERS_TOO_LARGE';
  readonly toleratesEmptyLine = false;
  method = 'GET';
  isAnswerDue = false;
  readonly #sink: ResponseSink;
  readonly #limits: HeadLimits;

  constructor(sink: ResponseSink, limits: HeadLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  assertStartLine(line: string): void {
    parseStatusLine(line);
  }

  onHeadText(text: string): AfterHead {
    const lineEnd = text.indexOf('\r');
    const { minorVersion, status, reason } = parseStatusLine(text.slice(0, lineEnd));
    const fields = parseFieldLines(text, lineEnd + 2, this.#limits.maxFieldLines, this);
    // Read for every answer, so that contradictions are refused even where there is no body.
    const framing = parseFraming(fields, minorVersion, this.invalid);
    const body = isBodyless(this.method, status) ? noBody : responseBody(framing);
    this.#sink.onHead({ status, reason, minorVersion, fields, body });
    if (status === 101) return 'switched';
    return status < 200 ? 'interim' : body;
  }

  onBody(chunk: Buffer): void {
    this.#sink.onBody(chunk);
  }

  onEnd(trailers: FieldLines): void {
    this.isAnswerDue = false;
    this.#sink.onEnd(trailers);
  }
}

function responseBody({ lengthBytes, isChunked }: Framing): BodyFraming {
  if (isChunked) return chunkedBody;
  return lengthBytes === undefined ? untilCloseBody : { kind: 'length', lengthBytes };
}

/**
 * Parses `HTTP-version SP status-code [SP reason-phrase]`.
 *
 * @throws GIR_ERR_ORIGIN_PROTOCOL for another version, or a status outside 100 to 599.
 * @see RFC 9112 section 4 (Status Line)
 */
function parseStatusLine(line: string): Pick<ResponseHead, 'minorVersion' | 'status' | 'reason'> {
  const version = line.slice(0, 9);
  const status = decimal(line.slice(9, 12));
  const isOfOurs = version === 'HTTP/1.1 ' || version === 'HTTP/1.0 ';
  if (!isOfOurs || !(status >= 100 && status <= 599) || (line.length > 12 && line.charCodeAt(12) !== space)) {
    throw new GiraffeError('GIR_ERR_ORIGIN_PROTOCOL', 'a status line that is not one of HTTP/1.1');
  }
  return { minorVersion: version === 'HTTP/1.0 ' ? 0 : 1, status, reason: line.slice(13) };
}
