/**
 * `npm run bench`: the same work through the origin directly, a bare Node reverse proxy, a plain TLS-to-TLS forwarder, and
 * giraffe over gRPC and over TCP, in turn within one run. Prints medians, costs and ratios. See README.md in this folder.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { end, endAll, toldToEnd } from '../scripts/started-processes.ts';
import { isInstalled } from '../test/support/programs.ts';
import { download, type LoadResult, loadGet, type Target, upload } from './load.ts';
import { startPeers } from './peers.ts';
import { measurePolicy } from './policy.ts';
import { cpuMicros, memoryBytes, type Running, startGiraffe, startScript } from './processes.ts';
import { loadGetWithWrk } from './wrk.ts';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const secondsPerRound = Number(process.env['BENCH_SECONDS'] ?? 2);
/** Rounds of each table that are not counted: V8 compiles what is hot only after a while. */
const warmUpRounds = 2;
const bulkBytes = 256 * 1024 * 1024;
const besideMs = 3000;
/** `BENCH_POLICY=1` measures what limits and breaker cost, and nothing else. */
const measuresPolicy = process.env['BENCH_POLICY'] === '1';
/** Pairs of short rounds that take the time of one long round of everything. */
const pairsPerRound = 32;
/** What an agent is the wrapper of: so it writes no line per request, as no other way does. It says when it is started. */
const wrapped = ['--', 'sh', '-c', 'echo \'"ready"\'; exec sleep 86400'];
/** No limit: the tunnel is measured. */
const edgeConfig = { server: { defaults: { rateLimit: { rpm: 0 } } } };

interface Way {
  readonly name: string;
  readonly target: Target;
  /** Processes between the load generator and the origin. */
  readonly middle: readonly Running[];
}

const folder = mkdtempSync(join(tmpdir(), 'giraffe-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

async function startWays(): Promise<{ ways: Way[]; inspected: Way; edge: Running; agent: Running }> {
  const origin = await startScript('origin', '../src/host/bench/origin-process.ts');
  const originPort = origin.firstLine;
  const proxy = await startScript('bare proxy', 'bare-proxy.ts', originPort);
  const env = { GIRAFFE_STATE_DIR: folder };
  const portFlags = [
    '--log-level',
    'warn',
    '--proxy-port',
    '0',
    '--api-port',
    '0',
    '--grpc-port',
    '0',
    '--tunnel-port',
    '0',
  ];
  const config = join(folder, 'giraffe.config.json');
  writeFileSync(config, JSON.stringify(edgeConfig));
  const edge = await startGiraffe('edge', ['server', 'start', '--json', '--config', config, ...portFlags], env);
  const { ports } = JSON.parse(edge.firstLine) as { ports: { proxy: number; grpc: number; tunnel: number } };
  const startAgent = (name: string, domain: string, transport: string, ...more: string[]): Promise<Running> => {
    const edgeFlags = ['--server', `localhost:${ports.grpc}`, '--tunnel-port', String(ports.tunnel)];
    const flags = ['--domain', domain, '--transport', transport, ...edgeFlags, ...more];
    return startGiraffe(name, ['tunnel', originPort, ...flags, ...wrapped], env);
  };
  const agent = await startAgent('agent', 'grpc.localhost', 'auto', '--no-inspect');
  const tcpAgent = await startAgent('agent (tcp)', 'tcp.localhost', 'tcp', '--no-inspect');
  const inspecting = await startAgent('agent (inspector)', 'inspected.localhost', 'auto');
  const far = await startScript(
    'tls far',
    'tls-forwarder.ts',
    'far',
    originPort,
    join(folder, 'server.pem'),
    join(folder, 'server-key.pem'),
  );
  const near = await startScript('tls near', 'tls-forwarder.ts', 'near', far.firstLine);
  const at = (port: number | string, host: string): Target => ({ port: Number(port), host });
  const ways: Way[] = [
    { name: 'direct', target: at(originPort, 'localhost'), middle: [] },
    { name: 'bare proxy', target: at(proxy.firstLine, 'localhost'), middle: [proxy] },
    { name: 'tls forwarder', target: at(near.firstLine, 'localhost'), middle: [near, far] },
    { name: 'giraffe grpc', target: at(ports.proxy, 'grpc.localhost'), middle: [edge, agent] },
    { name: 'giraffe tcp', target: at(ports.proxy, 'tcp.localhost'), middle: [edge, tcpAgent] },
  ];
  for (const { name, target, processes } of await startPeers(folder, originPort)) {
    ways.push({ name, target, middle: processes });
  }
  const inspected: Way = {
    name: 'grpc, inspector',
    target: at(ports.proxy, 'inspected.localhost'),
    middle: [edge, inspecting],
  };
  return { ways, inspected, edge, agent };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function table(title: string, rows: readonly Record<string, string | number>[]): void {
  console.log(`\n${title}`);
  const columns = Object.keys(rows[0] ?? {});
  const width = (column: string): number => Math.max(column.length, ...rows.map((row) => String(row[column]).length));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) =>
        index === 0 ? cell.padEnd(width(columns[index] ?? '')) : cell.padStart(width(columns[index] ?? '')),
      )
      .join('  ');
  console.log(line(columns));
  for (const row of rows) console.log(line(columns.map((column) => String(row[column]))));
}

interface Sample {
  readonly result: LoadResult;
  readonly cpu: readonly number[];
}

async function measureGet(ways: readonly Way[], path: string, title: string, load = loadGet): Promise<void> {
  const samples = new Map<string, Sample[]>(ways.map(({ name }) => [name, []]));
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const way of ways) {
      const before = way.middle.map(cpuMicros);
      const result = await load(way.target, path, 50, secondsPerRound * 1000);
      const cpu = way.middle.map((process, index) => (cpuMicros(process) - (before[index] ?? 0)) / result.requests);
      if (round >= 0) samples.get(way.name)?.push({ result, cpu });
    }
  }
  const cpuOf = (name: string): number =>
    median(samples.get(name)?.map(({ cpu }) => cpu.reduce((a, b) => a + b, 0)) ?? []);
  const bare = cpuOf('bare proxy');
  table(
    title,
    ways.map(({ name, middle }) => {
      const of = samples.get(name) ?? [];
      return {
        way: name,
        'req/s': Math.round(median(of.map(({ result }) => result.requests / result.seconds))),
        'p50 ms': median(of.map(({ result }) => result.p50Ms)).toFixed(2),
        'p99 ms': median(of.map(({ result }) => result.p99Ms)).toFixed(2),
        failed: of.reduce((sum, { result }) => sum + result.failed, 0),
        'CPU µs/req':
          middle.map((_, index) => Math.round(median(of.map(({ cpu }) => cpu[index] ?? 0)))).join(' + ') || '-',
        'CPU vs bare proxy': middle.length === 0 ? '-' : `${(cpuOf(name) / bare).toFixed(2)}x`,
      };
    }),
  );
}

async function measureBulk(ways: readonly Way[]): Promise<void> {
  const down = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  const up = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const way of ways) {
      const speeds = [await download(way.target, bulkBytes), await upload(way.target, bulkBytes)] as const;
      if (round < 0) continue;
      down.get(way.name)?.push(speeds[0]);
      up.get(way.name)?.push(speeds[1]);
    }
  }
  const speed = (of: Map<string, number[]>, name: string): number => median(of.get(name) ?? []);
  table(
    '256 MiB download and upload',
    ways.map(({ name, middle }) => ({
      way: name,
      'down MB/s': Math.round(speed(down, name)),
      'vs tls forwarder': `${(speed(down, name) / speed(down, 'tls forwarder')).toFixed(2)}x`,
      'up MB/s': Math.round(speed(up, name)),
      'up vs tls forwarder': `${(speed(up, name) / speed(up, 'tls forwarder')).toFixed(2)}x`,
      'peak MB': middle.map((process) => Math.round(memoryBytes(process, 'VmHWM') / 1e6)).join(' + ') || '-',
    })),
  );
}

/** One small GET after the other, alone, beside a slow reader and beside a fast download on the same way. */
async function measureBeside(ways: readonly Way[]): Promise<void> {
  const rows: Record<string, string | number>[] = [];
  for (const { name, target } of ways) {
    const get = (): Promise<LoadResult> => loadGet(target, '/bytes/1024', 1, besideMs);
    const alone = await get();
    const slow = download(target, 1024 ** 3, 100_000).catch(() => 0);
    const besideSlow = await get();
    const fast = await startScript('download', 'downloader.ts', String(target.port), target.host);
    const besideFast = await get();
    await end(fast.child);
    void slow;
    const row = (beside: string, result: LoadResult): void => {
      rows.push({
        way: name,
        'GET 1 KiB': beside,
        'p50 ms': result.p50Ms.toFixed(2),
        'p99 ms': result.p99Ms.toFixed(2),
        'p99 vs alone': `${(result.p99Ms / alone.p99Ms).toFixed(2)}x`,
        failed: result.failed,
      });
    };
    row('alone', alone);
    row('beside a reader of 1 GiB at 100 kB/s', besideSlow);
    row('beside that and a download', besideFast);
  }
  table('One small request at a time beside others', rows);
}

/** What edge and agent grow by while 1 GiB passes and a slow reader holds another. */
async function measureMemory({ target }: Way, processes: readonly Running[]): Promise<void> {
  const before = processes.map((process) => memoryBytes(process, 'VmRSS'));
  void download(target, 1024 ** 3, 100_000).catch(() => 0);
  const megabytesPerSecond = await download(target, 1024 ** 3);
  const growth = processes.map(
    (process, index) =>
      `${process.name} ${((memoryBytes(process, 'VmRSS') - (before[index] ?? 0)) / 1e6).toFixed(1)} MB`,
  );
  const speed = `${Math.round(megabytesPerSecond)} MB/s`;
  console.log(`\nmemory growth while 1 GiB passed (${speed}) beside a slow reader: ${growth.join(', ')}`);
}

async function measureAll(): Promise<void> {
  const { ways, inspected, edge, agent } = await startWays();
  const small = [...ways, inspected];
  await measureGet(small, '/bytes/1024', 'GET 1 KiB, 50 connections');
  if (isInstalled('wrk'))
    await measureGet(small, '/bytes/1024', 'GET 1 KiB, 50 connections, sent by wrk', loadGetWithWrk);
  await measureGet(ways, '/bytes/102400', 'GET 100 KiB, 50 connections');
  await measureBulk(ways);
  await measureBeside(ways.filter(({ name }) => name === 'bare proxy' || name.startsWith('giraffe')));
  const grpc = ways.find(({ name }) => name === 'giraffe grpc');
  if (grpc !== undefined) await measureMemory(grpc, [edge, agent]);
}

const measured = measuresPolicy ? measurePolicy(folder, rounds * pairsPerRound) : measureAll();
try {
  process.exitCode = await Promise.race([measured.then(() => 0), toldToEnd()]);
} finally {
  await endAll();
}
process.exit();
