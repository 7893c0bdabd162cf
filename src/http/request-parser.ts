/**
 * Parses requests from clients, more strictly than RFC 9112 asks: what nginx and haproxy both refuse is refused here,
 * because a message that two parties read differently is a way past one of them.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { parseAuthority } from './authority.ts';
import { type FieldLines, isNamed } from './field-line.ts';
import { assertNoLookAlikes, parseFraming } from './framing.ts';
import { defaultRequestLimits, type HeadLimits, isToken, parseFieldLines } from './head-syntax.ts';
import type { BodyFraming, RequestHead } from './message.ts';
import { type AfterHead, MessageParser, type MessageRules } from './message-parser.ts';
import { originFormTarget } from './request-target.ts';

/** Receives what the parser reads. The calls are synchronous; a throw leaves the parser `failed`. */
export interface RequestSink {
  onHead(head: RequestHead): void;
  /** A view on what was pushed, never empty: copy what outlives the buffer. */
  onBody(chunk: Buffer): void;
  /** The request is complete. From here on, and inside, next() may be called. */
  onEnd(trailers: FieldLines): void;
}

/** Push parser for the requests of one connection. Throws GIR_ERR_REQUEST_INVALID and GIR_ERR_REQUEST_HEADERS_TOO_LARGE. */
export class RequestParser extends MessageParser {
  /** @param limits Bounds of the head and of the trailer section. Default 64 KiB and 256 lines. */
  constructor(sink: RequestSink, limits: HeadLimits = defaultRequestLimits) {
    super(new RequestRules(sink, limits), limits);
  }
}

const noBody: BodyFraming = { kind: 'none' };
const chunkedBody: BodyFraming = { kind: 'chunked' };

class RequestRules implements MessageRules {
  readonly invalid = 'GIR_ERR_REQUEST_INVALID';
  readonly tooLarge = 'GIR_ERR_REQUEST_HEADERS_TOO_LARGE';
  readonly toleratesEmptyLine = true;
  readonly #sink: RequestSink;
  readonly #limits: HeadLimits;

  constructor(sink: RequestSink, limits: HeadLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  assertStartLine(line: string): void {
    parseRequestLine(line);
  }

  onHeadText(text: string): AfterHead {
    const lineEnd = text.indexOf('\r');
    const line = parseRequestLine(text.slice(0, lineEnd));
    const fields = parseFieldLines(text, lineEnd + 2, this.#limits.maxFieldLines, this);
    assertNoLookAlikes(fields);
    const target = originFormTarget(line.method, line.target, hostValue(fields, line.minorVersion));
    const body = requestBody(fields, line.minorVersion);
    this.#sink.onHead({ method: line.method, target, minorVersion: line.minorVersion, fields, body });
    return body;
  }

  onBody(chunk: Buffer): void {
    this.#sink.onBody(chunk);
  }

  onEnd(trailers: FieldLines): void {
    this.#sink.onEnd(trailers);
  }
}

interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly minorVersion: 0 | 1;
}

/**
 * Parses `method SP request-target SP HTTP-version`, with exactly these two spaces.
 *
 * @see RFC 9112 section 3 (Request Line)
 */
function parseRequestLine(line: string): RequestLine {
  const methodEnd = line.indexOf(' ');
  if (methodEnd === -1) throw invalid('the request line has no target and no version');
  const targetEnd = line.indexOf(' ', methodEnd + 1);
  if (targetEnd === -1) throw invalid('the request line has no version');
  const method = line.slice(0, methodEnd);
  if (!isToken(method)) throw invalid('the method is not a token');
  const target = line.slice(methodEnd + 1, targetEnd);
  if (target === '') throw invalid('the request target is empty');
  if (/[\t#]/.test(target)) throw invalid('the request target contains white space or a fragment');
  return { method, target, minorVersion: parseVersion(line.slice(targetEnd + 1)) };
}

function parseVersion(version: string): 0 | 1 {
  if (version === 'HTTP/1.1') return 1;
  if (version === 'HTTP/1.0') return 0;
  throw invalid('the request line does not end in HTTP/1.1 or HTTP/1.0');
}

/**
 * Returns the one Host value, checked.
 *
 * @see RFC 9112 section 3.2 (Request Target)
 */
function hostValue(fields: FieldLines, minorVersion: 0 | 1): string | undefined {
  let host: string | undefined;
  for (const field of fields) {
    if (!isNamed(field[0], 'host')) continue;
    if (host !== undefined) throw invalid('more than one Host line');
    host = field[1];
  }
  if (host !== undefined) parseAuthority(host);
  else if (minorVersion === 1) throw invalid('no Host line in an HTTP/1.1 request');
  return host;
}

function requestBody(fields: FieldLines, minorVersion: 0 | 1): BodyFraming {
  const { lengthBytes, isChunked } = parseFraming(fields, minorVersion, 'GIR_ERR_REQUEST_INVALID');
  if (isChunked) return chunkedBody;
  return lengthBytes === undefined ? noBody : { kind: 'length', lengthBytes };
}

function invalid(rule: string): GiraffeError {
  return new GiraffeError('GIR_ERR_REQUEST_INVALID', rule);
}
