/**
 * How a multiplexer and its owner, an end of a session, see each other.
 */
import type { GiraffeError } from '../errors/giraffe-error.ts';
import type { frameType } from '../protocol/frame.ts';
import type { CreditPool } from '../protocol/receive-window.ts';
import type { Stream, StreamSink } from './stream.ts';

/** What a multiplexer tells its owner. */
export interface MultiplexerEvents {
  /** HELLO or WELCOME arrived. */
  onHandshake(type: typeof frameType.hello | typeof frameType.welcome, payload: Buffer): void;
  /** The other end opened a stream; returns who takes it, or throws when its head breaks the protocol. */
  onOpen(stream: Stream, payload: Buffer, isEnd: boolean): StreamSink;
  onTicket(payload: Buffer): void;
  /** The agent tells how its origins are. Absent where nobody should: it then breaks the protocol. */
  onStatus?(payload: Buffer): void;
  /** The edge takes an endpoint from the agent. Absent where nobody should: it then breaks the protocol. */
  onWithdraw?(payload: Buffer): void;
  /** The other end will go away soon (`isAck`: or consents to our going) and wants no new streams. */
  onGoAway(reason: GiraffeError, isAck: boolean): void;
  /** The carrier is gone and every stream on it has been told. */
  onClose(reason: GiraffeError): void;
}

/** How a multiplexer is set up. */
export interface MultiplexerOptions {
  readonly role: 'edge' | 'agent';
  /** Shared by the carriers of one session. */
  readonly creditPool?: CreditPool;
  /** Streams the other end may have open at once; one more is refused. */
  readonly maxInboundStreams?: number;
}
