/** One soak through one front: work goes on all the time, and one disturbance follows the other, each with quiet behind it. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Crew } from './crew.ts';
import { type Disturbance, disturbances } from './disturbances.ts';
import type { Bound } from './edge-view.ts';
import { Http1Front } from './http1-front.ts';
import { Http2Front } from './http2-front.ts';
import type { Ledger } from './ledger.ts';
import { Random } from './random.ts';
import { holdingsTable, tell, windowLine } from './report.ts';
import { compareHoldings, holdings } from './resources.ts';
import type { FrontKind, SoakSettings } from './settings.ts';
import type { Stage } from './stage.ts';
import { workOf } from './work/catalogue.ts';
import { hosts, SoakWorld } from './world.ts';

/** Pieces of work per client that have to go well behind each disturbance, and before the first. */
const quietPieces = 5;
/** Sessions that are this old count as good when they end, with room; in milliseconds. */
const calmMs = 6_000;
/** Time until all agents serve again once they run: the longest pause of an agent that reconnects, with room. */
const wholeBound: Bound = { ms: 45_000, answers: 100 };

/** Soaks one front for a time. @param seconds In which disturbances begin. */
export async function soak(front: FrontKind, settings: SoakSettings, seconds: number, ledger: Ledger): Promise<void> {
  tell(`${front}: starts`);
  await using world = await SoakWorld.start(front, (process, { code, signal }) => {
    ledger.problem(`${process.name} ended by itself with ${code ?? signal}; it said:\n${process.lastWords}`);
  });
  const random = new Random(settings.seed);
  using clients = front === 'http' ? new Http1Front(world.ports.proxy) : new Http2Front(world.ports.proxy, world.ca);
  const stage: Stage = { world, clients, random, problem: (text) => ledger.problem(text) };
  const before = await holdings(stage);
  const crew = new Crew({
    ...{ seed: settings.seed, clients: settings.clients, works: workOf(front) },
    ...{ hosts, front: clients, ledger },
  });
  await quiet(ledger, settings);
  await disturb(stage, ledger, settings, seconds);
  await crew.stop();
  clients.renew();
  const after = await holdings(stage, before);
  compareHoldings(stage, before, after);
  await checkCounts(stage);
  console.log(`\n${holdingsTable(before, after)}\n`);
}

/** Deals out all disturbances in an order of chance, again and again, until the time or the rounds are over. */
async function disturb(stage: Stage, ledger: Ledger, settings: SoakSettings, seconds: number): Promise<void> {
  const chosen = disturbances.filter(({ name }) => settings.only.includes(name));
  const untilMs = performance.now() + seconds * 1000;
  for (let round = 0; round < (settings.rounds ?? Number.POSITIVE_INFINITY); round += 1) {
    for (const disturbance of stage.random.shuffled(chosen)) {
      if (untilMs < performance.now()) return;
      await disturbOnce(disturbance, stage, ledger, settings);
    }
  }
}

async function disturbOnce(
  disturbance: Disturbance,
  stage: Stage,
  ledger: Ledger,
  settings: SoakSettings,
): Promise<void> {
  const { world } = stage;
  if (disturbance.needsCalm) await sleep(calmMs - (performance.now() - world.wholeSinceMs));
  const { text, excuse, run } = disturbance.prepare(stage);
  const window = ledger.open(text, excuse);
  const outcome = await run();
  await world.view.until(
    () => world.isWhole(),
    wholeBound,
    async () => {
      const sessions = JSON.stringify(await world.view.sessions());
      const words = world.processes.map(({ name, lastWords }) => `${name} said:\n${lastWords}`).join('\n');
      stage.problem(`not all agents serve again after ${text}; the edge has ${sessions}\n${words}`);
    },
  );
  world.wholeSinceMs = performance.now();
  ledger.close(window);
  tell(windowLine(window, text, outcome, await quiet(ledger, settings)));
}

/** Waits until enough work has been done that began from now on. Returns how much. */
async function quiet(ledger: Ledger, { clients }: SoakSettings): Promise<number> {
  const pieces = clients * quietPieces;
  await ledger.more(pieces);
  return pieces;
}

/** Nothing that must not be done twice was. */
async function checkCounts(stage: Stage): Promise<void> {
  const repeated = (await stage.world.origin.ask('repeated')) as readonly string[];
  if (0 < repeated.length) stage.problem(`POSTs that reached the origin more than once: ${repeated.join(', ')}`);
}
