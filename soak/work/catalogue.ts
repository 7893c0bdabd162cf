/** All work of a soak, and the choice of the next piece. */
import type { Random } from '../random.ts';
import type { FrontKind } from '../settings.ts';
import { bodyWork } from './bodies.ts';
import type { Work } from './job.ts';
import { rawWork } from './raw.ts';
import { streamWork } from './streams.ts';

const allWork: readonly Work[] = [...bodyWork, ...streamWork, ...rawWork];

/** Returns the kinds that clients of this front can do. */
export function workOf(front: FrontKind): readonly Work[] {
  return allWork.filter(({ fronts }) => fronts.includes(front));
}

/** Chooses by weight. */
export function chooseWork(works: readonly Work[], random: Random): Work {
  let left = random.next() * works.reduce((sum, { weight }) => sum + weight, 0);
  const chosen = works.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
  return chosen ?? (works[0] as Work);
}
