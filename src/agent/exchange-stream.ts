/** What an exchange and a relay need of the stream to the edge. A replay has none, and brings its own. */
import type { Stream } from '../tunnel/stream.ts';

/** A stream, as far as its user at the agent is concerned. */
export type ExchangeStream = Pick<
  Stream,
  'hasRoomForHead' | 'sendHead' | 'sendData' | 'sendEnd' | 'consumed' | 'grant' | 'reset' | 'outbound' | 'sink'
>;
