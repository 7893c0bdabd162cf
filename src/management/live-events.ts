/**
 * What happens at an edge as server-sent events, for one reader each.
 *
 * A reader that is slow loses events and is told how many: neither the edge nor the other readers wait for it, and what
 * waits for it has a bound.
 */
import type { LiveEvent, ManagementPort } from './management-port.ts';

/** Events that wait for one reader at most. */
const maxWaiting = 1000;
/** A comment keeps a silent stream known to be alive, in milliseconds. */
const heartbeatMs = 15_000;

/** Returns the response that tells events. @param domain Only what is about this endpoint; undefined for all. */
export function liveEvents(edge: Pick<ManagementPort, 'subscribe'>, domain: string | undefined): Response {
  const reader = new EventReader();
  const unsubscribe = edge.subscribe((event) => {
    if (domain === undefined || isAbout(event, domain)) reader.add(event);
  });
  let isOver = false;
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>(
    {
      start: (controller) => controller.enqueue(encoder.encode(': events of this edge\n\n')),
      pull: async (controller) => {
        const text = await reader.next();
        if (!isOver) controller.enqueue(encoder.encode(text));
      },
      cancel: () => {
        isOver = true;
        unsubscribe();
        reader.end();
      },
    },
    { highWaterMark: 2 },
  );
  return new Response(stream, { headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' } });
}

function isAbout({ type, domain, domains }: LiveEvent, wanted: string): boolean {
  return type === 'draining' || domain === wanted || domains?.includes(wanted) === true;
}

/** The events that one reader has not been told. */
class EventReader {
  #waiting: string[] = [];
  #lost = 0;
  #wake: (() => void) | undefined;

  add(event: LiveEvent): void {
    if (this.#waiting.length >= maxWaiting) this.#lost += 1;
    else this.#waiting.push(toldText(event));
    this.#wake?.();
  }

  /** Resolves with the text of all that waits, once there is any; or of a comment when there is none for long. */
  async next(): Promise<string> {
    if (this.#waiting.length === 0) await this.#something();
    const lost = this.#lost === 0 ? '' : eventText('lost', { count: this.#lost });
    const text = this.#waiting.join('') + lost;
    this.#waiting = [];
    this.#lost = 0;
    return text === '' ? ':\n\n' : text;
  }

  end(): void {
    this.#wake?.();
  }

  async #something(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, heartbeatMs).unref();
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }
}

function toldText({ type, ...fields }: LiveEvent): string {
  return eventText(type, fields);
}

function eventText(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ v: 1, event: type, at: new Date().toISOString(), ...fields })}\n\n`;
}
