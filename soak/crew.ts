/** The clients of a soak: each does one piece of work after the other, chosen by a seed of its own, until it is told to stop. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Failure, failureOf, WorkFailure } from './failure.ts';
import type { Front } from './front.ts';
import type { Ledger } from './ledger.ts';
import { Random } from './random.ts';
import { chooseWork } from './work/catalogue.ts';
import type { Job, Work } from './work/job.ts';

/** Longer than any piece of work may take, in milliseconds: the edge's own time limits are shorter. */
const patienceMs = 120_000;
/** Pause after a refused connection, in milliseconds: nothing is there, and the machine has better to do. */
const refusedPauseMs = 50;

/** What a crew is made of. */
export interface CrewOptions {
  readonly seed: number;
  readonly clients: number;
  readonly hosts: readonly [string, ...string[]];
  readonly works: readonly Work[];
  readonly front: Front;
  readonly ledger: Ledger;
}

/** Clients at work. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #running: Promise<unknown>;
  #isStopped = false;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#running = Promise.all(Array.from({ length: options.clients }, (_, client) => this.#run(client)));
  }

  /** Resolves when all work that has begun is done. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(client: number): Promise<void> {
    const { seed, hosts, works, front, ledger } = this.#options;
    const random = new Random(seed * 1_000 + client);
    for (let piece = 0; !this.#isStopped; piece += 1) {
      const work = chooseWork(works, random);
      const host = random.pick(hosts);
      const beganMs = performance.now();
      const name = `${seed}-${client}-${piece}`;
      const failure = await attempt(work, { front, host, random, name });
      ledger.enter({ work: work.name, host, isRepeatable: work.isRepeatable, beganMs, failure });
      if (failure?.kind === 'refused') await sleep(refusedPauseMs);
    }
  }
}

/** Does one piece of work and returns how it failed, if it did. */
async function attempt(work: Work, job: Omit<Job, 'signal'>): Promise<Failure | undefined> {
  const leaving = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const stuck: Failure = { kind: 'stuck', detail: `no end within ${patienceMs / 1000} s` };
    timer = setTimeout(() => reject(new WorkFailure(stuck)), patienceMs);
  });
  try {
    await Promise.race([work.run({ ...job, signal: leaving.signal }), late]);
    return undefined;
  } catch (error) {
    return failureOf(error).failure;
  } finally {
    clearTimeout(timer);
    leaving.abort();
  }
}
