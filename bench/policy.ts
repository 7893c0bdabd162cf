/**
 * What rate limits and a breaker cost: `BENCH_POLICY=1 npm run bench`.
 *
 * One edge and one agent with three endpoints: one without policy, one with limits that are never reached and a breaker that
 * never opens, and one that tells its quota with each response as well. Short rounds on two of them in turn, A B B A, so that
 * what the machine gives to others meets both alike; the figure is the median of the ratios of neighbours.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LoadResult, loadGet, type Target } from './load.ts';
import { cpuNanos, type Running, startGiraffe, startScript } from './processes.ts';

const unreached = { rpm: 1_000_000_000 };
const warmUpPairs = 16;
const connections = 50;
const roundMs = 250;

interface Round {
  readonly perSecond: number;
  /** Of edge and agent together. */
  readonly cpuMicros: number;
}

/** Measures and prints. @param folder For the configuration and the state of the edge. */
export async function measurePolicy(folder: string, pairs: number): Promise<void> {
  const origin = await startScript('origin', '../src/host/bench/origin-process.ts');
  const config = join(folder, 'policy.json');
  const policy = (name: string, announce: boolean) => {
    const rate = { ...unreached, announce };
    return { endpoints: [name], rateLimit: rate, clientRateLimit: rate, breaker: { failures: 10 } };
  };
  const target = Number(origin.firstLine);
  const server = {
    ports: { proxy: 0, api: 0, grpc: 0, tunnel: 0 },
    defaults: { rateLimit: { rpm: 0 } },
    policies: [policy('limited.localhost', false), policy('announced.localhost', true)],
  };
  const tunnels = {
    free: { domain: 'free.localhost', target },
    limited: { domain: 'limited.localhost', target },
    announced: { domain: 'announced.localhost', target },
  };
  writeFileSync(config, JSON.stringify({ server, tunnels, log: { level: 'warn' } }));
  const env = { GIRAFFE_STATE_DIR: folder };
  const edge = await startGiraffe('edge', ['server', 'start', '--json', '--config', config], env);
  const { ports } = JSON.parse(edge.firstLine) as { ports: { proxy: number; grpc: number; tunnel: number } };
  const where = ['--server', `localhost:${ports.grpc}`, '--tunnel-port', String(ports.tunnel)];
  const agent = await startGiraffe('agent', ['tunnel', '--json', '--config', config, ...where], env);
  const round = (host: string) => measure({ port: ports.proxy, host }, [edge, agent]);
  await compare('limits and breaker', 'limited.localhost', round, pairs);
  await compare('limits told in each response, and breaker', 'announced.localhost', round, pairs);
}

async function compare(
  title: string,
  other: string,
  round: (host: string) => Promise<Round>,
  pairs: number,
): Promise<void> {
  const free: Round[] = [];
  const limited: Round[] = [];
  for (let pair = -warmUpPairs; pair < pairs; pair += 1) {
    const order = pair % 2 === 0 ? ['free.localhost', other] : [other, 'free.localhost'];
    for (const host of order) {
      const result = await round(host);
      if (pair >= 0) (host === 'free.localhost' ? free : limited).push(result);
    }
  }
  const ratios = (of: keyof Round) => limited.map((one, index) => one[of] / (free[index]?.[of] ?? Number.NaN));
  console.log(`\nGET 1 KiB, ${connections} connections: with ${title}, against without (${pairs} pairs)`);
  for (const [name, of] of [
    ['CPU per request', 'cpuMicros'],
    ['requests per second', 'perSecond'],
  ] as const) {
    const [low, middle, high] = quartiles(ratios(of));
    const value = quartiles(free.map((one) => one[of]))[1];
    console.log(
      `${name.padEnd(20)} ${middle?.toFixed(3)}x (quartiles ${low?.toFixed(3)} to ${high?.toFixed(3)}; without: ${Math.round(value ?? 0)})`,
    );
  }
}

async function measure(target: Target, processes: readonly Running[]): Promise<Round> {
  const used = (): number => processes.reduce((sum, process) => sum + cpuNanos(process), 0);
  const before = used();
  const result: LoadResult = await loadGet(target, '/bytes/1024', connections, roundMs);
  if (result.failed > 0) throw new Error(`${result.failed} requests failed`);
  return { perSecond: result.requests / result.seconds, cpuMicros: (used() - before) / 1000 / result.requests };
}

function quartiles(values: readonly number[]): (number | undefined)[] {
  const sorted = [...values].sort((a, b) => a - b);
  return [0.25, 0.5, 0.75].map((part) => sorted[Math.floor(sorted.length * part)]);
}
