import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldLine } from '../../src/http/field-line.ts';
import { assertForwardableRequestHead, assertForwardableResponseHead } from '../../src/http/field-validation.ts';
import { chunkHeader, lastChunkText, requestHeadText, responseHeadText } from '../../src/http/head-text.ts';
import type { BodyFraming, RequestHead, ResponseHead } from '../../src/http/message.ts';
import { bytes, parseRequest, parseResponse, requestRun, responseRun } from './recording-sinks.ts';

const tokenChars = "!#$%&'*+-.^`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const charOf = (chars: string) => fc.constantFrom(...chars);
const latin1 = Array.from({ length: 0x100 }, (_, code) => String.fromCharCode(code));
const visible = latin1.filter((char) => /[\x21-\x7e\x80-\xff]/.test(char)).join('');

const token = fc.string({ unit: charOf(tokenChars), minLength: 1, maxLength: 20 });
const fieldValue = fc
  .string({ unit: charOf(`${visible} \t`), maxLength: 60 })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''));
// Framing and routing names are added by the builders below.
const fieldLine: fc.Arbitrary<FieldLine> = fc
  .tuple(token, fieldValue)
  .filter(([name]) => !/^(?:host|content-length|transfer-encoding)$/i.test(name));
const fieldLines = fc.array(fieldLine, { maxLength: 12 });
const target = fc.string({ unit: charOf(visible.replace('#', '')), maxLength: 40 }).map((text) => `/${text}`);

interface Body {
  readonly framing: BodyFraming;
  readonly data: string;
  readonly wire: string;
  readonly trailers: readonly FieldLine[];
}

const data = fc.string({ unit: fc.constantFrom(...latin1), maxLength: 200 });
const noBody: Body = { framing: { kind: 'none' }, data: '', wire: '', trailers: [] };
const lengthBody = data.map(
  (text): Body => ({ framing: { kind: 'length', lengthBytes: text.length }, data: text, wire: text, trailers: [] }),
);
const trailerLines = fc.array(fc.tuple(fc.constantFrom('X-Sum', 'grpc-status', 'Server-Timing'), fieldValue), {
  maxLength: 3,
});
const chunkedBody = fc
  .tuple(
    fc.array(
      data.filter((text) => text !== ''),
      { maxLength: 4 },
    ),
    trailerLines,
  )
  .map(
    ([chunks, trailers]): Body => ({
      framing: { kind: 'chunked' },
      data: chunks.join(''),
      wire: chunks.map((chunk) => `${chunkHeader(chunk.length)}${chunk}\r\n`).join('') + lastChunkText(trailers),
      trailers,
    }),
  );
const body = fc.oneof(fc.constant(noBody), lengthBody, chunkedBody);

function framed(fields: readonly FieldLine[], framing: BodyFraming): readonly FieldLine[] {
  return framing.kind === 'length' ? [...fields, ['Content-Length', String(framing.lengthBytes)]] : fields;
}

const requestMessage = fc
  .tuple(
    token.filter((method) => method !== 'CONNECT'),
    target,
    fieldLines,
    body,
  )
  .map(([method, path, lines, content]) => {
    const fields = framed([['Host', 'a.test:81'], ...lines], content.framing);
    const head: RequestHead = { method, target: path, minorVersion: 1, fields, body: content.framing };
    return { head, content };
  });

const responseMessage = fc
  .tuple(
    fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
    fieldValue,
    fieldLines,
    fc.oneof(lengthBody, chunkedBody),
  )
  .map(([status, reason, lines, content]) => {
    const head: ResponseHead = {
      status,
      reason,
      minorVersion: 1,
      fields: framed(lines, content.framing),
      body: content.framing,
    };
    return { head, content };
  });

/** Cuts a text at the given places. */
function pieces(text: string, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length].sort((a, b) => a - b);
  return places.slice(1).map((place, index) => bytes(text.slice(places[index], place)));
}

const cuts = fc.array(fc.nat(4000), { maxLength: 12 });

/** What comes back from the wire: Transfer-Encoding is a line again. */
function received(fields: readonly FieldLine[], framing: BodyFraming): readonly FieldLine[] {
  return framing.kind === 'chunked' ? [...fields, ['Transfer-Encoding', 'chunked']] : fields;
}

describe('parsers over any message', () => {
  it('read back every request that head-text writes', () => {
    fc.assert(
      fc.property(requestMessage, ({ head, content }) => {
        assertForwardableRequestHead(head);
        const sink = parseRequest(requestHeadText(head, undefined) + content.wire);
        expect(sink.heads).toEqual([{ ...head, fields: received(head.fields, head.body) }]);
        expect(sink.body).toBe(content.data);
        expect(sink.trailers).toEqual(content.trailers);
      }),
    );
  });

  it('read back every response that head-text writes', () => {
    fc.assert(
      fc.property(responseMessage, ({ head, content }) => {
        assertForwardableResponseHead(head, { method: 'GET' });
        const sink = parseResponse(responseHeadText(head, 'keep-alive') + content.wire);
        const fields = [...received(head.fields, head.body), ['Connection', 'keep-alive']];
        expect(sink.heads).toEqual([{ ...head, fields }]);
        expect(sink.body).toBe(content.data);
        expect(sink.trailers).toEqual(content.trailers);
      }),
    );
  });

  it('report the same for a request however its octets are split', () => {
    fc.assert(
      fc.property(requestMessage, cuts, ({ head, content }, places) => {
        const text = requestHeadText(head, undefined) + content.wire;
        const { parser, sink } = requestRun();
        for (const piece of pieces(text, places)) parser.push(piece);
        expect(sink.events).toEqual(parseRequest(text).events);
        expect(parser.restBytes).toBe(0);
      }),
    );
  });

  it('report the same for a response however its octets are split', () => {
    fc.assert(
      fc.property(responseMessage, cuts, ({ head, content }, places) => {
        const text = `HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${responseHeadText(head, undefined)}${content.wire}`;
        const { parser, sink } = responseRun('GET');
        for (const piece of pieces(text, places)) parser.push(piece);
        expect(sink.events).toEqual(parseResponse(text).events);
      }),
    );
  });

  it('accept or refuse a damaged request alike however its octets are split', () => {
    const damage = fc.tuple(fc.nat(4000), fc.constantFrom(...latin1));
    fc.assert(
      fc.property(requestMessage, damage, cuts, ({ head, content }, [place, char], places) => {
        const text = requestHeadText(head, undefined) + content.wire;
        const at = place % text.length;
        const damaged = text.slice(0, at) + char + text.slice(at + 1);
        expect(outcome(pieces(damaged, places))).toEqual(outcome([bytes(damaged)]));
      }),
      { numRuns: 500 },
    );
  });
});

/** What a client's octets lead to. */
function outcome(chunks: readonly Buffer[]): unknown {
  const { parser, sink } = requestRun();
  try {
    for (const chunk of chunks) parser.push(chunk);
  } catch (error) {
    return { code: (error as { code?: string }).code, heads: sink.heads };
  }
  return { state: parser.state, events: sink.events, rest: parser.takeRest()?.toString('latin1') };
}
