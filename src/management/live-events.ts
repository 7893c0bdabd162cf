/**
 * What happens at an edge as server-sent events, for one reader each.
 *
 * A reader that is slow loses events and is told how many: neither the edge nor the other readers wait for it, and what
 * waits for it has a bound.
 */
import { type EventSource, eventStream, eventText } from './event-stream.ts';
import type { LiveEvent, ManagementPort } from './management-port.ts';

/** Events that wait for one reader at most. */
const maxWaiting = 1000;

/** Returns the response that tells events. @param domain Only what is about this endpoint; undefined for all. */
export function liveEvents(edge: Pick<ManagementPort, 'subscribe'>, domain: string | undefined): Response {
  return eventStream((wake) => new EventReader(edge, domain, wake));
}

function isAbout({ type, domain, domains }: LiveEvent, wanted: string): boolean {
  return type === 'draining' || domain === wanted || domains?.includes(wanted) === true;
}

/** The events that one reader has not been told. */
class EventReader implements EventSource {
  /** A comment first, so that the reader knows when it has begun to hear. */
  #waiting = [': events of this edge\n\n'];
  #lost = 0;
  readonly #unsubscribe: () => void;

  constructor(edge: Pick<ManagementPort, 'subscribe'>, domain: string | undefined, wake: () => void) {
    this.#unsubscribe = edge.subscribe((event) => {
      if (domain !== undefined && !isAbout(event, domain)) return;
      const { type, ...fields } = event;
      if (this.#waiting.length >= maxWaiting) this.#lost += 1;
      else this.#waiting.push(toldText(type, fields));
      wake();
    });
  }

  take(): string {
    const lost = this.#lost === 0 ? '' : toldText('lost', { count: this.#lost });
    const text = this.#waiting.join('') + lost;
    this.#waiting = [];
    this.#lost = 0;
    return text;
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }
}

function toldText(event: string, fields: object): string {
  return eventText(event, { v: 1, event, at: new Date().toISOString(), ...fields });
}
