/** Stops what lies under sockets of this process from being read, as Node's HTTP/2 does while it waits for a write. */
import { Socket } from 'node:net';

interface Handled {
  readonly _handle: { readStop(): void };
}

/** Stops those that are meant; what happens to them is told by no event any more. */
export function stopReading(isMeant: (socket: Socket) => boolean): void {
  const { _getActiveHandles } = process as unknown as { _getActiveHandles(): unknown[] };
  for (const one of _getActiveHandles()) {
    if (one instanceof Socket && isMeant(one)) (one as unknown as Handled)._handle.readStop();
  }
}
