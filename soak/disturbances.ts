/**
 * The catalogue of disturbances: what each does to the world, and what it takes away meanwhile. Each leaves the world as it
 * found it: whoever was ended is started again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Excuse, noExcuse } from './excuse.ts';
import { noticed } from './notice.ts';
import type { End } from './processes.ts';
import type { Stage } from './stage.ts';
import { type AgentSlot, hosts, slots } from './world.ts';

/** One kind. */
export interface Disturbance {
  readonly name: string;
  /** Whether agents have to reconnect. One whose sessions were short takes longer each time, on purpose. */
  readonly needsCalm?: true;
  /** Decides whom it meets, and does nothing yet. */
  prepare(stage: Stage): PreparedDisturbance;
}

/** One that is about to happen. */
export interface PreparedDisturbance {
  /** Whom it meets, and how long. */
  readonly text: string;
  readonly excuse: Excuse;
  /** Does it and brings all back. Returns what is to be told of it. */
  run(): Promise<string>;
}

/** Pause before what was ended is started again, and how long a process is frozen at most: shorter than two pings; in milliseconds. */
const longest = { absenceMs: 1_500, freezeMs: 2_500 };

/** All of them. */
export const disturbances: readonly Disturbance[] = [
  { name: 'agent-killed', prepare: (stage) => killAgents(stage, [stage.random.pick(slots)]) },
  { name: 'agents-killed', prepare: killSeveral },
  { name: 'agent-terminated', prepare: terminateAgent },
  { name: 'agent-frozen', prepare: (stage) => freeze(stage, stage.random.pick(slots)) },
  { name: 'edge-frozen', prepare: (stage) => freeze(stage, undefined) },
  { name: 'edge-killed', needsCalm: true, prepare: (stage) => endEdge(stage, 'SIGKILL') },
  { name: 'edge-terminated', needsCalm: true, prepare: (stage) => endEdge(stage, 'SIGTERM') },
  { name: 'edge-reloaded', prepare: reloadEdge },
];

function killSeveral(stage: Stage): PreparedDisturbance {
  return killAgents(stage, stage.random.shuffled(slots).slice(0, stage.random.between(2, slots.length)));
}

function killAgents(stage: Stage, victims: readonly AgentSlot[]): PreparedDisturbance {
  const absenceMs = stage.random.between(0, longest.absenceMs);
  return {
    text: `kill -9 ${victims.map(({ name }) => name).join(', ')}; ${absenceMs} ms`,
    excuse: { ...noExcuse, lost: victims.map(({ host }) => host), away: hostsWithout(victims) },
    run: async () => {
      const tookMs = await Promise.all(victims.map((victim) => killAgent(stage, victim, absenceMs)));
      return `noticed after ${tookMs.map(Math.round).join(', ')} ms`;
    },
  };
}

async function killAgent(stage: Stage, victim: AgentSlot, absenceMs: number): Promise<number> {
  const { world } = stage;
  const sessions = await world.sessionsOf(victim);
  await world.agent(victim).end('SIGKILL');
  const notice = noticed(stage, victim, sessions);
  await sleep(absenceMs);
  await Promise.all([notice, world.startAgent(victim)]);
  return notice;
}

/** An agent that takes leave lets everything finish that is in flight. */
function terminateAgent(stage: Stage): PreparedDisturbance {
  const { world, random } = stage;
  const slot = random.pick(slots);
  const absenceMs = random.between(0, longest.absenceMs);
  return {
    text: `SIGTERM ${slot.name}; ${absenceMs} ms`,
    excuse: { ...noExcuse, away: hostsWithout([slot]) },
    run: async () => {
      checkEnd(stage, slot.name, await world.agent(slot).end('SIGTERM'));
      await sleep(absenceMs);
      await world.startAgent(slot);
      return '';
    },
  };
}

/** A process that stands still for less than two pings costs time and nothing else. @param slot Undefined for the edge. */
function freeze({ world, random }: Stage, slot: AgentSlot | undefined): PreparedDisturbance {
  const frozenMs = random.between(300, longest.freezeMs);
  return {
    text: `SIGSTOP ${slot?.name ?? 'edge'}; ${frozenMs} ms; SIGCONT`,
    excuse: noExcuse,
    run: async () => {
      const frozen = slot === undefined ? world.edge : world.agent(slot);
      frozen.signal('SIGSTOP');
      await sleep(frozenMs);
      frozen.signal('SIGCONT');
      return '';
    },
  };
}

function endEdge(stage: Stage, signal: 'SIGKILL' | 'SIGTERM'): PreparedDisturbance {
  const { world, random } = stage;
  const absenceMs = random.between(0, longest.absenceMs);
  const isKilled = signal === 'SIGKILL';
  return {
    text: `${isKilled ? 'kill -9' : signal} edge; ${absenceMs} ms`,
    excuse: { lost: [], away: hosts, edge: isKilled ? 'dies' : 'leaves' },
    run: async () => {
      const end = await world.edge.end(signal);
      if (!isKilled) checkEnd(stage, 'edge', end);
      // Connections to an edge that is gone are none to the next one.
      stage.clients.renew();
      await sleep(absenceMs);
      await world.startEdge();
      return '';
    },
  };
}

function reloadEdge({ world }: Stage): PreparedDisturbance {
  return {
    text: 'SIGHUP edge',
    excuse: noExcuse,
    run: async () => {
      world.edge.signal('SIGHUP');
      return '';
    },
  };
}

/** Hosts that nobody serves without these agents. */
function hostsWithout(gone: readonly AgentSlot[]): string[] {
  return slots
    .map(({ host }) => host)
    .filter((host) => slots.every((slot) => slot.host !== host || gone.includes(slot)));
}

function checkEnd(stage: Stage, name: string, { code, signal }: End): void {
  if (code !== 0) stage.problem(`${name} ended with ${code ?? signal} after SIGTERM, in place of 0`);
}
