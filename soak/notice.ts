/**
 * Whether the edge notices that an agent has vanished. The kernel closes the connections of a process that is killed, so
 * this takes a moment, and not the pings that find out about machines that vanish.
 */
import { readFileSync } from 'node:fs';
import type { Bound, SessionView } from './edge-view.ts';
import type { Stage } from './stage.ts';
import type { AgentSlot } from './world.ts';

/** Time to notice. Long for what is told by the kernel, short against the pings' 60 s. */
const noticeBound: Bound = { ms: 5_000, answers: 40 };
/** Field of /proc/net/tcp that tells the state of a connection (proc(5)). */
const stateNames: Readonly<Record<string, string>> = {
  '01': 'ESTABLISHED',
  '04': 'FIN_WAIT1',
  '05': 'FIN_WAIT2',
  '06': 'TIME_WAIT',
  '07': 'CLOSE',
  '08': 'CLOSE_WAIT',
  '09': 'LAST_ACK',
};

/** Resolves, when the edge has ended these sessions, with the time that took in milliseconds. Being late is a problem. */
export async function noticed(stage: Stage, slot: AgentSlot, sessions: readonly SessionView[]): Promise<number> {
  const { view } = stage.world;
  const ids = new Set(sessions.map(({ sessionId }) => sessionId));
  const left = async () => (await view.sessions()).filter(({ sessionId }) => ids.has(sessionId));
  return view.until(
    async () => (await left()).length === 0,
    noticeBound,
    async () =>
      stage.problem(`the edge does not notice that ${slot.name} was killed\n${await evidence(stage, await left())}`),
  );
}

/** Everything that is known of the case. */
async function evidence({ world }: Stage, sessions: readonly SessionView[]): Promise<string> {
  const { now, totals } = await world.view.json<{ readonly now: unknown; readonly totals: unknown }>('/api/v1/stats');
  return [
    `  sessions: ${JSON.stringify(sessions)}`,
    `  edge now: ${JSON.stringify(now)}`,
    `  totals: ${JSON.stringify(totals)}`,
    '  connections at the tunnel ports:',
    ...connectionsAt([world.ports.grpc, world.ports.tunnel]).map((line) => `    ${line}`),
    `  the edge's last words:\n${world.edge.lastWords.replaceAll(/^/gm, '    ')}`,
  ].join('\n');
}

/** Connections with one of these ports at either end: ports, state, octets that wait to be sent and to be read (Linux). */
function connectionsAt(ports: readonly number[]): string[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => {
    const rows = readFileSync(file, 'latin1').trim().split('\n').slice(1);
    return rows.flatMap((row) => {
      const [, local = '', remote = '', state = '', queues = ''] = row.trim().split(/\s+/);
      const [from, to] = [local, remote].map((end) => Number.parseInt(end.split(':')[1] ?? '', 16));
      if (to === 0 || !ports.some((port) => port === from || port === to)) return [];
      const [unsent, unread] = queues.split(':').map((count) => Number.parseInt(count, 16));
      return [`${from} to ${to}: ${stateNames[state] ?? state}, ${unsent} to send, ${unread} to read`];
    });
  });
}
