/** The agent's side of --detach: tells the process that started it how the start goes, and lets it go. */

import { ConfigError } from '../../../config/config-error.ts';
import type { Environment } from '../../../config/env.ts';
import { GiraffeError } from '../../../errors/giraffe-error.ts';
import { redacted } from '../../terminal/printable.ts';

/** Set for an agent that was started with --detach: the file that its stdout and stderr go to. */
export const detachedVariable = 'GIRAFFE_DETACHED_LOG';

/** What an agent says to the process that waits for it. */
export type DetachedMessage =
  /** Fields of the event `ready`. */
  | { readonly type: 'ready'; readonly fields: object }
  | {
      readonly type: 'failed';
      readonly code: string;
      readonly message: string;
      readonly problems: readonly string[];
      readonly fix: string;
    };

/** The process that waits. */
export class DetachedParent {
  /** The file that stdout and stderr go to. */
  readonly logFile: string;

  private constructor(logFile: string) {
    this.logFile = logFile;
  }

  /** Returns the process that waits for this one; undefined when nobody does. */
  static find(environment: Environment): DetachedParent | undefined {
    const logFile = environment[detachedVariable];
    return logFile === undefined || process.send === undefined ? undefined : new DetachedParent(logFile);
  }

  /** The tunnel is ready. */
  async ready(fields: object): Promise<void> {
    await say({ type: 'ready', fields });
  }

  /** The agent ends with an error before it was ready. */
  async failed(error: unknown): Promise<void> {
    const { code, message, fix } = GiraffeError.from(error);
    const problems = error instanceof ConfigError ? error.problems : [];
    await say({ type: 'failed', code, message: redacted(message), problems: problems.map(redacted), fix });
  }
}

/** Says the last thing there is to say. A parent that has gone needs no answer. */
async function say(message: DetachedMessage): Promise<void> {
  if (!process.connected) return;
  await new Promise<void>((resolve) => process.send?.(message, undefined, undefined, () => resolve()));
  if (process.connected) process.disconnect();
}
