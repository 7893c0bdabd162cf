/**
 * The wire unit between edge and agent, and its bounds. The whole protocol is
 * described for implementers in proto/tunnel.proto; the names are those of
 * RFC 9113 section 6 where there is one.
 *
 * A frame is a 9-octet header (24-bit payload length, 8-bit type, 8-bit flags,
 * 32-bit stream id, big endian) and its payload.
 */

/** Frame types. The numbers are the wire format: never reused, never renumbered. */
export const frameType = {
  head: 1,
  data: 2,
  end: 3,
  reset: 4,
  window: 5,
  ping: 6,
  pong: 7,
  goAway: 8,
  hello: 9,
  welcome: 10,
  ticket: 11,
  status: 12,
  withdraw: 13,
} as const;

/** One of the numbers in {@link frameType}. */
export type FrameType = (typeof frameType)[keyof typeof frameType];

/** On HEAD and DATA: this direction of the stream ends here, without trailers. */
export const flagEndStream = 0x1;
/** On HEAD: an interim (1xx) response head; the final one is still to come. */
export const flagInterim = 0x2;
/** On GOAWAY: the receiver of a GOAWAY opens no more streams; those before this frame were the last. */
export const flagAck = 0x1;

/** Octets of a frame header. */
export const frameHeaderBytes = 9;
/** Largest payload of any frame, in octets: room for the largest header section that can be configured. */
export const maxFramePayloadBytes = 1024 * 1024;
/** Largest payload of a DATA frame that we send, in octets: small enough that streams take turns. */
export const maxDataPayloadBytes = 64 * 1024;
/** Credit of a stream never passes this, in octets (RFC 9113 section 6.9.1, The Flow-Control Window, has the same bound). */
export const maxCreditBytes = 2 ** 31 - 1;
/** Largest handshake payload (HELLO, WELCOME), in octets; it is read before anybody is authenticated. */
export const maxHandshakePayloadBytes = 16 * 1024;

/** Highest id of a stream. 1,000 requests per second get there in 50 days; the agent then opens another session. */
export const maxStreamId = 2 ** 32 - 1;

/** Identifies a stream within its session. Given by the edge, rising, never reused. */
export type StreamId = number & { readonly brand: unique symbol };

/** Turns a number from the wire or a counter into a {@link StreamId}. */
export function streamId(id: number): StreamId {
  return id as StreamId;
}

/** Stream id of frames that concern the carrier or the session as a whole. */
export const noStream = streamId(0);
