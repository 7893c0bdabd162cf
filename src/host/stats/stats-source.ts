/** Asks for figures: the management API of an edge, or else the agents that run on this machine. */
import { durationText } from '../../errors/duration-text.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { LocalStats, LocalTunnel } from '../../management/agent-port.ts';
import type { EdgeFigures, TunnelFigures } from '../../management/management-port.ts';
import { listRunningAgents, type RunningAgent } from '../../state/running-agents.ts';
import { type StatsReading, type TunnelReading, totalsOf } from './stats-reading.ts';

/** Time for one answer, in milliseconds. */
const timeoutMs = 5000;

/** Where figures are. */
export interface StatsPlace {
  /** API of the edge that was asked for; undefined looks for one on this machine. */
  readonly api: string | undefined;
  /** Where an edge on this machine would answer. */
  readonly localApi: string;
  readonly stateDir: string;
  /** Whether somebody gave an admin token, and so means an edge. */
  readonly isTokenGiven: boolean;
  /** Returns the admin token; undefined when there is none. */
  adminToken(): Promise<string | undefined>;
}

/** What an edge answers: times are texts. */
type EdgeBody = Pick<EdgeFigures, 'totals' | 'now'> & {
  readonly startedAt: string;
  readonly takenAt: string;
  readonly tunnels: readonly (TunnelFigures & TunnelReading)[];
};
type AgentBody = Omit<LocalStats, 'startedAt' | 'takenAt' | 'tunnels'> & {
  readonly startedAt: string;
  readonly takenAt: string;
  readonly tunnels: readonly (Partial<LocalTunnel> & LocalStats['tunnels'][number])[];
};

/**
 * Takes one look.
 *
 * @param domain Only this endpoint; undefined for all.
 * @throws {GiraffeError} GIR_ERR_NOTHING_RUNS, GIR_ERR_API_UNREACHABLE, GIR_ERR_API_TOKEN, GIR_ERR_STATE.
 */
export async function readStats(place: StatsPlace, domain: string | undefined): Promise<StatsReading> {
  if (place.api !== undefined) return readEdge(place.api, place, domain);
  let failure: GiraffeError | undefined;
  try {
    return await readEdge(place.localApi, place, domain);
  } catch (error) {
    failure = GiraffeError.from(error);
    if (place.isTokenGiven && failure.code === 'GIR_ERR_API_TOKEN') throw failure;
  }
  const running = await listRunningAgents(place.stateDir);
  const agents = await readAgents(running, domain);
  if (agents !== undefined) return agents;
  // An edge that is here and does not let us in is worth telling; one that is not here is not.
  if (failure.code === 'GIR_ERR_API_TOKEN') throw failure;
  const others =
    running.length === 0
      ? `no agent of ${place.stateDir} runs`
      : `agents run that do not answer: ${running.map(nameOf).join(', ')}`;
  throw new GiraffeError('GIR_ERR_NOTHING_RUNS', `no edge answers at ${place.localApi}, and ${others}`);
}

async function readEdge(api: string, place: StatsPlace, domain: string | undefined): Promise<StatsReading> {
  const query = domain === undefined ? '' : `?domain=${encodeURIComponent(domain)}`;
  const token = await place.adminToken();
  const body = await ask(`${api}/api/v1/stats${query}`, token);
  if (!isRole<EdgeBody>(body, 'edge')) {
    throw new GiraffeError('GIR_ERR_API_UNREACHABLE', `${api} is not the management API of an edge`);
  }
  const { startedAt, takenAt, totals, now: edge, tunnels } = body;
  return {
    from: 'edge',
    sources: [api],
    takenAt,
    startedAt,
    totals: domain === undefined ? totals : totalsOf(tunnels),
    tunnels,
    edge,
  };
}

/** Figures of all agents that answer; undefined when none does. */
async function readAgents(
  running: readonly RunningAgent[],
  domain: string | undefined,
): Promise<StatsReading | undefined> {
  const answers = await Promise.all(running.map(readAgent));
  const agents = answers.filter((answer) => answer !== undefined);
  const silent = running.filter((_, index) => answers[index] === undefined).map(nameOf);
  const [first] = agents;
  if (first === undefined) return undefined;
  const all = agents.flatMap(({ tunnels }) => tunnels);
  const tunnels = all.filter((tunnel) => domain === undefined || tunnel.domain === domain);
  return {
    from: 'agents',
    sources: agents.map(({ url }) => url),
    takenAt: new Date().toISOString(),
    startedAt: agents.map(({ startedAt }) => startedAt).sort()[0] ?? first.startedAt,
    totals: totalsOf(tunnels),
    tunnels,
    ...(silent.length > 0 && { silent }),
  };
}

/** Undefined when it does not answer. */
async function readAgent({ apiUrl: url, pid }: RunningAgent) {
  if (url === undefined) return undefined;
  try {
    const body = await ask(`${url}/api/v1/stats`, undefined);
    if (!isRole<AgentBody>(body, 'agent')) return undefined;
    return {
      url,
      startedAt: body.startedAt,
      tunnels: body.tunnels.map((tunnel) => ({ ...(tunnel as TunnelReading), pid })),
    };
  } catch {
    return undefined;
  }
}

function nameOf({ pid, tunnels }: RunningAgent): string {
  return `process ${pid} (${tunnels.map(({ domain }) => domain).join(', ')})`;
}

async function ask(url: string, token: string | undefined): Promise<unknown> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  let response: Response;
  try {
    // A token goes nowhere else.
    response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
  } catch (cause) {
    throw new GiraffeError('GIR_ERR_API_UNREACHABLE', `${new URL(url).origin}: ${reasonOf(cause)}`, { cause });
  }
  if (response.status === 401) {
    const what = token === undefined ? 'there is no admin token here' : 'the admin token was refused';
    throw new GiraffeError('GIR_ERR_API_TOKEN', `${new URL(url).origin}: ${what}`);
  }
  return response.json().catch(() => undefined);
}

function isRole<Body>(body: unknown, role: 'edge' | 'agent'): body is Body {
  if (typeof body !== 'object' || body === null || !('v' in body) || !('role' in body)) return false;
  return body.v === 1 && body.role === role && 'tunnels' in body && Array.isArray(body.tunnels);
}

/** fetch hides what happened in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${durationText(timeoutMs)}`;
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
