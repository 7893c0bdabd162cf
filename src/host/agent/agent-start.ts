/** The start of an agent: what comes first, and why it is late. */

import type { Agent } from '../../agent/agent-options.ts';
import { durationText } from '../../errors/duration-text.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { EndSignal } from '../lifecycle/shutdown-signals.ts';
import { within } from '../lifecycle/within.ts';

/** How a start has ended. */
export type Start =
  | { readonly kind: 'ready' }
  | { readonly kind: 'late' }
  | { readonly kind: 'signal'; readonly signal: EndSignal };

/** Waits for whatever comes first: the tunnel is ready, the time is up, a signal. Rejects when the edge refuses for good. */
export async function firstOf(
  ready: Promise<unknown>,
  closed: Agent['closed'],
  signal: Promise<EndSignal>,
  timeoutMs: number | undefined,
): Promise<Start> {
  const isReady = ready.then((): Start => ({ kind: 'ready' }));
  // Closing an agent that never served rejects `ready`; by then nobody waits for it.
  isReady.catch(() => undefined);
  const refused = closed.then((error): Start => {
    throw error ?? new GiraffeError('GIR_ERR_CANCELLED', 'the agent was closed before it was ready');
  });
  refused.catch(() => undefined);
  const signalled = signal.then((name): Start => ({ kind: 'signal', signal: name }));
  const first = Promise.race([isReady, refused, signalled]);
  const start = timeoutMs === undefined ? await first : await within(timeoutMs, first);
  return start === 'late' ? { kind: 'late' } : start;
}

/** What is known of a start that takes too long. */
export interface LateStart {
  readonly timeoutMs: number;
  readonly server: string;
  /** Why the last attempt has failed; undefined while the tunnel serves. */
  readonly lastError: GiraffeError | undefined;
  /** Why the tunnel does not count as ready although it serves. */
  readonly problem: string | undefined;
}

/** The reason of the last attempt says more than "too late", unless it would have another exit status. */
export function lateError({ timeoutMs, server, lastError, problem }: LateStart): GiraffeError {
  if (problem !== undefined) {
    const detail = `the tunnel serves, but is not ready within ${durationText(timeoutMs)}: ${problem}`;
    return new GiraffeError('GIR_ERR_NOT_PUBLIC', detail);
  }
  const code = lastError?.entry.exit === 6 ? lastError.code : 'GIR_ERR_EDGE_UNREACHABLE';
  const why = lastError === undefined ? 'no attempt has ended yet' : lastError.message;
  const fix = lastError?.code === code ? lastError.fix : undefined;
  return new GiraffeError(code, `no tunnel to ${server} within ${durationText(timeoutMs)}: ${why}`, {
    cause: lastError,
    fix,
  });
}
