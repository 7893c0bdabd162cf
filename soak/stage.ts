/** What a disturbance plays on. */
import type { Front } from './front.ts';
import type { Random } from './random.ts';
import type { SoakWorld } from './world.ts';

/** The world, its clients, chance, and where to say what is wrong. */
export interface Stage {
  readonly world: SoakWorld;
  readonly clients: Front;
  readonly random: Random;
  problem(text: string): void;
}
