/**
 * The order of frames on one stream, as a pure state machine for one direction:
 * interim heads, one final head, data, end. Requests have no interim heads.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';

/** How far one direction of a stream has come. */
export type Progress = 'head' | 'body' | 'ended';

/** A frame on a stream, as far as its order matters. */
export type OrderedFrame = 'interim-head' | 'head' | 'head-and-end' | 'data' | 'data-and-end' | 'end';

/**
 * Returns how far the direction has come after `frame`.
 * @throws {GiraffeError} GIR_ERR_PROTOCOL when the frame may not come now.
 */
export function advance(progress: Progress, frame: OrderedFrame): Progress {
  const next = allowed[progress][frame];
  if (next === undefined) throw new GiraffeError('GIR_ERR_PROTOCOL', `${frame} on a stream that expects ${progress}`);
  return next;
}

const allowed: Record<Progress, Partial<Record<OrderedFrame, Progress>>> = {
  head: { 'interim-head': 'head', head: 'body', 'head-and-end': 'ended' },
  body: { data: 'body', 'data-and-end': 'ended', end: 'ended' },
  ended: {},
};
