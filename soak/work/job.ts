/** What a piece of work is given, and what it says about itself. */

import { answered } from '../failure.ts';
import type { Answer, Front } from '../front.ts';
import type { Random } from '../random.ts';
import type { FrontKind } from '../settings.ts';

/** One piece of work on its way. */
export interface Job {
  readonly front: Front;
  readonly host: string;
  readonly random: Random;
  /** No other work of the soak has it. */
  readonly name: string;
  /** Aborts when the soak no longer waits for its end. */
  readonly signal: AbortSignal;
}

/** A kind of work. */
export interface Work {
  readonly name: string;
  /** How often it is done beside the others. */
  readonly weight: number;
  readonly fronts: readonly FrontKind[];
  /** Whether giraffe may send it again by itself, so that the loss of one of two agents need not be seen. */
  readonly isRepeatable: boolean;
  /** Does it. Rejects with a WorkFailure when the answer is not whole and right. */
  run(job: Job): Promise<void>;
}

/** Returns a whole answer with status 200; throws what another one says. */
export function expectOk(answer: Answer): Answer {
  if (answer.status === 200) return answer;
  throw answered(answer.status, answer.headers, answer.body.toString());
}

/** A size of a body in octets: mostly small, sometimes nothing, sometimes up to 3 MB. */
export function anySize(random: Random): number {
  if (random.chance(0.05)) return random.between(0, 1);
  return random.between(0, random.chance(0.15) ? 3_000_000 : 20_000);
}
