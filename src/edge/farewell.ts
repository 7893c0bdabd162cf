/**
 * How the end of an agent's carrier is read: whether the agent took leave, or was lost.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';

/** What an agent that drains says on one carrier: GOAWAY when it begins to, and once more as the last thing it says. */
export class Farewell {
  #words = 0;

  /** Takes note of a GOAWAY. */
  said(): void {
    this.#words += 1;
  }

  /** Whether the agent had taken leave when its carrier closed with `error`; what the edge itself decided goes before. */
  isOver(error: GiraffeError): boolean {
    return this.#words > 1 && error.code === 'GIR_ERR_SESSION_LOST';
  }
}

/** Whether a session ended without anybody's wish. */
export function isLoss({ code }: GiraffeError): boolean {
  return code === 'GIR_ERR_SESSION_LOST' || code === 'GIR_ERR_PING_TIMEOUT';
}

/** Whether the agent of a session that has ended may open another one. @param reason Undefined when it took leave. */
export function mayComeBack(reason: GiraffeError | undefined): boolean {
  return reason !== undefined && !finalCodes.has(reason.code);
}

/** The agent ends with them, or has a newer session. */
const finalCodes: ReadonlySet<string> = new Set([
  'GIR_ERR_DISCONNECTED',
  'GIR_ERR_CREDENTIALS_REFUSED',
  'GIR_ERR_SESSION_REPLACED',
]);

/** The end of a carrier that the agent gave up; its words are not repeated, its code is. */
export function givenUp({ code }: GiraffeError): GiraffeError {
  return new GiraffeError('GIR_ERR_SESSION_LOST', `the agent gave it up: ${code}`);
}
