/**
 * SIGINT and SIGTERM: the first asks for a graceful end, the second ends the process at once. SIGHUP asks for a reload.
 */

/** Signals that end a program. */
export type EndSignal = 'SIGINT' | 'SIGTERM';

/** Exit status of a process that a signal ended: 128 and its number. */
export const signalExit: Readonly<Record<EndSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** Tells people what the first signal began. @param deadlineMs Time for what is in flight, in milliseconds. */
export function stoppingText(deadlineMs: number): string {
  return `Stopping: what is in flight has ${Math.ceil(deadlineMs / 1000)} s to finish; a second signal ends at once.`;
}

/** What is needed of the process. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
  exit(status: number): void;
}

/** Signals as they arrive. */
export interface ShutdownSignals extends Disposable {
  /** Resolves with the first signal to end. */
  readonly first: Promise<EndSignal>;
}

/**
 * Begins to listen for signals.
 *
 * @param onReload Called for each SIGHUP; undefined leaves SIGHUP as it is, which ends the process.
 */
export function listenForSignals(source: SignalSource = process, onReload?: () => void): ShutdownSignals {
  let resolveFirst: (signal: EndSignal) => void = () => undefined;
  let isEnding = false;
  const first = new Promise<EndSignal>((resolve) => {
    resolveFirst = resolve;
  });
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((signal) => {
    const listener = () => {
      if (isEnding) source.exit(signalExit[signal]);
      isEnding = true;
      resolveFirst(signal);
    };
    source.on(signal, listener);
    return [signal, listener] as const;
  });
  if (onReload !== undefined) source.on('SIGHUP', onReload);
  return {
    first,
    [Symbol.dispose]: () => {
      for (const [signal, listener] of listeners) source.off(signal, listener);
      if (onReload !== undefined) source.off('SIGHUP', onReload);
    },
  };
}
