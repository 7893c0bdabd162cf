/** Sinks that write down what a parser reports, and ways to feed a parser. */
import type { FieldLines } from '../../src/http/field-line.ts';
import type { HeadLimits } from '../../src/http/head-syntax.ts';
import type { RequestHead, ResponseHead } from '../../src/http/message.ts';
import { RequestParser } from '../../src/http/request-parser.ts';
import { ResponseParser } from '../../src/http/response-parser.ts';

/** Events with neighbouring body pieces joined, so that runs over different chunks compare equal. */
export type Event<Head> =
  | { readonly t: 'head'; readonly head: Head }
  | { readonly t: 'body'; readonly text: string }
  | { readonly t: 'end'; readonly trailers: FieldLines };

export class RecordingSink<Head> {
  readonly events: Event<Head>[] = [];
  /** Called with each head after it is recorded. */
  afterHead: (head: Head) => void = () => undefined;

  onHead(head: Head): void {
    this.events.push({ t: 'head', head });
    this.afterHead(head);
  }

  onBody(chunk: Buffer): void {
    const last = this.events.at(-1);
    const text = chunk.toString('latin1');
    if (last?.t === 'body') this.events.splice(-1, 1, { t: 'body', text: last.text + text });
    else this.events.push({ t: 'body', text });
  }

  onEnd(trailers: FieldLines): void {
    this.events.push({ t: 'end', trailers });
  }

  get heads(): Head[] {
    return this.events.flatMap((event) => (event.t === 'head' ? [event.head] : []));
  }

  get body(): string {
    return this.events.map((event) => (event.t === 'body' ? event.text : '')).join('');
  }

  get trailers(): FieldLines | undefined {
    return this.events.flatMap((event) => (event.t === 'end' ? [event.trailers] : []))[0];
  }
}

export function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export function requestRun(limits?: HeadLimits): { sink: RecordingSink<RequestHead>; parser: RequestParser } {
  const sink = new RecordingSink<RequestHead>();
  return { sink, parser: limits === undefined ? new RequestParser(sink) : new RequestParser(sink, limits) };
}

export function responseRun(
  method: string,
  limits?: HeadLimits,
): { sink: RecordingSink<ResponseHead>; parser: ResponseParser } {
  const sink = new RecordingSink<ResponseHead>();
  const parser = limits === undefined ? new ResponseParser(sink) : new ResponseParser(sink, limits);
  parser.expect(method);
  return { sink, parser };
}

/** Parses one request given as text in one piece. */
export function parseRequest(text: string, limits?: HeadLimits): RecordingSink<RequestHead> {
  const { sink, parser } = requestRun(limits);
  parser.push(bytes(text));
  return sink;
}

/** Parses the answer to a request of `method`, and the end of the connection after it. */
export function parseResponse(text: string, method = 'GET'): RecordingSink<ResponseHead> {
  const { sink, parser } = responseRun(method);
  parser.push(bytes(text));
  parser.finish();
  return sink;
}

/** Pushes a text octet by octet. */
export function pushOctets(parser: { push(chunk: Buffer): void }, text: string): void {
  for (const octet of bytes(text)) parser.push(Buffer.of(octet));
}
