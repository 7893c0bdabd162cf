/**
 * Server-sent events, for one reader each.
 *
 * What is told is opened when the reader first asks, so that a response that nobody reads, as the one of HEAD, leaves
 * nothing behind; and it is taken when the reader has room, so that what waits is up to whoever tells, not to the stream.
 */

/** What one reader is told. */
export interface EventSource extends Disposable {
  /** Returns the text of all that waits, and forgets it; empty when there is nothing. */
  take(): string;
}

/** A comment keeps a silent stream known to be alive, in milliseconds. */
const heartbeatMs = 15_000;

/** Returns the response that tells events. @param open Starts them; it calls `wake` when there is something to take. */
export function eventStream(open: (wake: () => void) => EventSource): Response {
  const encoder = new TextEncoder();
  let source: EventSource | undefined;
  let wake = () => {};
  let isOver = false;
  const something = async (): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      timer = setTimeout(resolve, heartbeatMs).unref();
    });
    clearTimeout(timer);
  };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        source ??= open(() => wake());
        let text = source.take();
        if (text === '') {
          await something();
          text = source.take() || ':\n\n';
        }
        if (!isOver) controller.enqueue(encoder.encode(text));
      },
      cancel: () => {
        isOver = true;
        source?.[Symbol.dispose]();
        wake();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, { headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' } });
}

/** Returns the text of one event. */
export function eventText(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
