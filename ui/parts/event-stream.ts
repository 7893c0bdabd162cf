/**
 * Reads server-sent events with fetch, which can send credentials where EventSource cannot, and comes back by itself.
 */
import { type Api, ApiError } from './api.ts';

/** One event. */
export interface StreamEvent {
  readonly event: string;
  readonly data: unknown;
}

/** Receives a stream. */
export interface StreamListener {
  onEvent(event: StreamEvent): void;
  /** The stream is open, or was lost and is tried again. */
  onState?(isOpen: boolean): void;
}

const firstRetryMs = 500;
const longestRetryMs = 5000;
/** A stream that says nothing for as long is dead, in milliseconds: giraffe sends a comment every 15 s. */
const silentMs = 40_000;

/** Listens until the signal. */
export async function listen(api: Api, path: string, listener: StreamListener, signal: AbortSignal): Promise<void> {
  for (let retryMs = firstRetryMs; !signal.aborted; retryMs = Math.min(longestRetryMs, 2 * retryMs)) {
    try {
      const response = await api.open(path, signal);
      listener.onState?.(true);
      retryMs = firstRetryMs;
      await read(response, listener);
    } catch (error) {
      // Refused for good. A path that is missing may be there again: with another agent on this port.
      if (error instanceof ApiError && error.status === 401) return;
    }
    if (signal.aborted) return;
    listener.onState?.(false);
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

async function read(response: Response, listener: StreamListener): Promise<void> {
  let text = '';
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  for (;;) {
    const silence = setTimeout(() => void reader.cancel(), silentMs);
    const { value, done } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return;
    text += value;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const event = parseEvent(text.slice(0, end));
      text = text.slice(end + 2);
      if (event !== undefined) listener.onEvent(event);
    }
  }
}

function parseEvent(block: string): StreamEvent | undefined {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) event = line.slice(6).trim();
    if (line.startsWith('data:')) data.push(line.slice(5).trimStart());
  }
  return data.length === 0 ? undefined : { event, data: JSON.parse(data.join('\n')) as unknown };
}
