/**
 * Where a frame may stand: which types come before the handshake, and which belong to a stream. Pure.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { type FrameType, frameType, noStream, type StreamId } from './frame.ts';

/**
 * Checks what can be said of a frame before anything else is known of its stream.
 * @throws {GiraffeError} GIR_ERR_PROTOCOL before the handshake, unless it is part of it; with a stream id where none
 *   belongs, or without one.
 */
export function assertFramePlace(type: FrameType, id: StreamId, isHandshake: boolean): void {
  if (isHandshake && !handshakeFrames.has(type)) {
    throw new GiraffeError('GIR_ERR_PROTOCOL', `frame type ${type} before the handshake`);
  }
  if (streamFrames.has(type) !== (id !== noStream)) {
    throw new GiraffeError('GIR_ERR_PROTOCOL', `frame type ${type} with stream id ${id}`);
  }
}

const handshakeFrames = new Set<FrameType>([frameType.hello, frameType.welcome, frameType.goAway]);
const streamFrames = new Set<FrameType>([
  frameType.head,
  frameType.data,
  frameType.end,
  frameType.reset,
  frameType.window,
]);
