import { constants, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageLog } from '../../src/inspector/message-log.ts';
import { WebSocketParser } from '../../src/inspector/websocket-parser.ts';
import { frame } from './web-socket-frame.ts';

const ignored = { charge: () => {} };

function logOf(extensions = ''): MessageLog {
  return new MessageLog(256 * 1024, ignored, [['Sec-WebSocket-Extensions', extensions]]);
}

/** Compresses a message as permessage-deflate does, behind the texts that were sent before it. */
function deflated(text: string | Buffer, before = ''): Buffer {
  const dictionary = before === '' ? {} : { dictionary: Buffer.from(before) };
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH, ...dictionary }).subarray(0, -4);
}

describe('WebSocketParser', () => {
  it('reads the same frames however the octets are cut', () => {
    const sizes = [0, 1, 125, 126, 127, 65_535, 65_536];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...sizes), fc.boolean()), { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 6 }),
        (wanted, cuts) => {
          const payloads = wanted.map(([size]) => Buffer.alloc(size, 'payload '));
          const frames = payloads.map((payload, at) =>
            frame({ opcode: 2, payload, isMasked: wanted[at]?.[1] === true }),
          );
          const octets = Buffer.concat(frames);
          const seen: Buffer[] = [];
          const parser = new WebSocketParser(100_000, ignored, ({ payload }) => seen.push(payload));
          for (let at = 0, turn = 0; at < octets.length; turn += 1) {
            const bytes = cuts[turn % cuts.length] ?? 1;
            parser.push(octets.subarray(at, at + bytes));
            at += bytes;
          }
          expect(parser.isBroken).toBe(false);
          expect(seen.map((payload) => payload.toString('latin1'))).toEqual(payloads.map((one) => one.toString()));
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each([
    ['a reserved opcode', Buffer.from([0x83, 0])],
    ['a ping in fragments', Buffer.from([0x09, 0])],
    ['a ping that is too long', frame({ opcode: 9, payload: 'x'.repeat(126) })],
    ['a length beyond what a number can say', Buffer.from([0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255])],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n')],
  ])('gives up on %s, and reads nothing behind it', (_what, octets) => {
    const seen: unknown[] = [];
    const parser = new WebSocketParser(100, ignored, (one) => seen.push(one));
    parser.push(octets);
    parser.push(frame({ payload: 'hello' }));
    expect(parser.isBroken).toBe(true);
    expect(seen).toEqual([]);
  });
});

describe('MessageLog', () => {
  it('joins fragments, unmasks, and shows control frames between them where they came', () => {
    const log = logOf();
    log.push('toOrigin', frame({ payload: 'hel', isFinal: false, isMasked: true }), 1);
    log.push('toOrigin', frame({ opcode: 9, payload: 'p', isMasked: true }), 2);
    log.push('toClient', frame({ opcode: 10, payload: 'p' }), 3);
    log.push('toOrigin', frame({ opcode: 0, payload: 'lo', isMasked: true }), 4);
    log.push('toClient', frame({ opcode: 8, payload: 'by' }), 5);
    expect(log.messages.map(({ direction, kind, atMs, payload }) => [direction, kind, atMs, `${payload}`])).toEqual([
      ['toOrigin', 'ping', 2, 'p'],
      ['toClient', 'pong', 3, 'p'],
      ['toOrigin', 'text', 4, 'hello'],
      ['toClient', 'close', 5, 'by'],
    ]);
  });

  it('inflates messages that refer back to earlier ones (RFC 7692 7.2.3.2)', () => {
    const texts = ['the quick brown fox', 'the quick brown fox again', 'the quick brown fox again and again'];
    const log = logOf('permessage-deflate; client_max_window_bits=15');
    texts.forEach((text, at) => {
      const payload = deflated(text, texts.slice(0, at).join(''));
      log.push('toClient', frame({ payload, isCompressed: true }), at);
    });
    expect(log.messages.map(({ payload, isCompressed }) => [`${payload}`, isCompressed])).toEqual(
      texts.map((text) => [text, false]),
    );
  });

  it('shows a compressed message as such when what it refers to was not seen, and goes on', () => {
    const log = logOf('permessage-deflate');
    log.push('toClient', frame({ payload: deflated(Buffer.alloc(400_000, 'abc')), isCompressed: true }), 1);
    log.push('toClient', frame({ payload: deflated('hello'), isCompressed: true }), 2);
    log.push('toClient', frame({ payload: 'plain' }), 3);
    expect(log.messages.map(({ isCompressed }) => isCompressed)).toEqual([true, true, false]);
  });

  it('inflates behind a message it could not, when the sender forgets from message to message', () => {
    const log = logOf('permessage-deflate; server_no_context_takeover');
    log.push('toClient', frame({ payload: 'no deflate', isCompressed: true }), 1);
    log.push('toClient', frame({ payload: deflated('hello'), isCompressed: true }), 2);
    expect(log.messages.map(({ payload, isCompressed }) => [`${payload}`, isCompressed])).toEqual([
      ['no deflate', true],
      ['hello', false],
    ]);
  });

  it('keeps the latest messages within its octets, and numbers them over all', () => {
    let held = 0;
    const account = {
      charge: (bytes: number) => {
        held += bytes;
      },
    };
    const log = new MessageLog(10_000, account, []);
    for (let count = 0; count < 100; count += 1) log.push('toClient', frame({ payload: 'x'.repeat(1000) }), count);
    expect(held).toBeLessThanOrEqual(10_000);
    expect(log.count).toBe(100);
    expect(log.messages.map(({ number }) => number)).toEqual([92, 93, 94, 95, 96, 97, 98, 99]);
  });

  it('keeps the beginning of a long message, and its length', () => {
    const log = logOf();
    log.push('toClient', frame({ opcode: 2, payload: Buffer.alloc(200_000) }), 1);
    expect(log.messages[0]).toMatchObject({ kind: 'binary', wireBytes: 200_000, isTruncated: true });
    expect(log.messages[0]?.payload).toHaveLength(16 * 1024);
  });
});
