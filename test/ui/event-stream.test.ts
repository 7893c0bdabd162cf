import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Api, ApiError } from '../../ui/parts/api.ts';
import { listen } from '../../ui/parts/event-stream.ts';

/** What the server says to one call after the other: a stream that stays open after its text, or an error. */
type Answer = string | ApiError;

/** Listens to a server that gives these answers, and then streams that say nothing. */
function listening(answers: readonly Answer[]) {
  const states: boolean[] = [];
  const events: unknown[] = [];
  const end = new AbortController();
  let calls = 0;
  const open = async (): Promise<Response> => {
    const answer = answers[calls] ?? '';
    calls += 1;
    if (typeof answer !== 'string') throw answer;
    return new Response(
      new ReadableStream({
        start: (controller) => {
          if (answer !== '') controller.enqueue(new TextEncoder().encode(answer));
        },
      }),
    );
  };
  const api = { open } as unknown as Api;
  const listener = {
    onEvent: ({ data }: { data: unknown }) => events.push(data),
    onState: (isOpen: boolean) => states.push(isOpen),
  };
  const done = listen(api, '/events', listener, end.signal);
  return { states, events, end, done, calls: () => calls };
}

describe('the event stream of a page', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is opened anew when it has said nothing for longer than its comments are apart', async () => {
    const { states, events, end, calls } = listening(['data: 1\n\n', 'data: 2\n\n']);
    await vi.advanceTimersByTimeAsync(30_000);
    expect([calls(), events, states]).toEqual([1, [1], [true]]);
    await vi.advanceTimersByTimeAsync(15_000);
    expect([calls(), events, states]).toEqual([2, [1, 2], [true, false, true]]);
    end.abort();
  });

  it('comes back where its path was missing for a while, and not where the token is refused', async () => {
    const missing = new ApiError(404, 'no such path');
    const { states, calls, done } = listening([missing, missing, 'data: 1\n\n', new ApiError(401, 'refused')]);
    await vi.advanceTimersByTimeAsync(4000);
    expect([calls(), states]).toEqual([3, [false, false, true]]);
    await vi.advanceTimersByTimeAsync(60_000);
    await done;
    expect(calls()).toBe(4);
  });
});
