/** `giraffe bench` as a user runs it. */
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ChildProgram, GiraffeHome } from '../support/giraffe-process.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { hasPrograms } from '../support/programs.ts';
import { testCertificate } from '../support/test-certificate.ts';

interface BenchEvent {
  readonly v: number;
  readonly event: string;
  readonly interrupted: boolean;
  readonly machine: object;
  readonly results: readonly {
    readonly way: string;
    readonly requests: number;
    readonly failed: number;
    readonly requestsPerSecond: number;
    readonly errors: Readonly<Record<string, number>>;
    readonly statuses: Readonly<Record<string, number>>;
  }[];
  readonly assertions: readonly { readonly holds: boolean }[];
}

/** Returns the one line that `--json` has printed. */
function documentOf({ stdout }: ChildProgram): BenchEvent {
  expect(stdout).toMatch(/^[^\n]+\n$/);
  return JSON.parse(stdout) as BenchEvent;
}

/** A folder for temporary files, by which everything that a bench starts can be found again. */
function temporary(home: GiraffeHome) {
  const folder = join(home.path, 'temporary');
  mkdirSync(folder);
  return {
    // The compile cache of Node, which is there to stay, lies elsewhere.
    env: { TMPDIR: folder, NODE_COMPILE_CACHE: join(home.path, 'compile-cache') },
    processes: () => processesWith(folder),
    expectNothingLeft: async () => {
      await eventually('no process', () => processesWith(folder).length === 0);
      expect(readdirSync(folder)).toEqual([]);
    },
  };
}

/** Ids of processes whose environment holds a text. */
function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text);
      } catch {
        return false;
      }
    });
}

describe('giraffe bench URL', () => {
  it.skipIf(!hasPrograms('wrk'))('O8 agrees with wrk within 10 %', async () => {
    await using home = new GiraffeHome();
    // Ten connections and 50 ms: no more than 200 per second, whoever asks, so neither generator is the limit.
    const arrivals = { '/ours': [] as number[], '/theirs': [] as number[] };
    await using origin = await startHttpOrigin((request, response) => {
      arrivals[request.url as keyof typeof arrivals].push(performance.now());
      setTimeout(() => response.end('late'), 50);
    });
    const url = (path: keyof typeof arrivals) => `http://127.0.0.1:${origin.port}${path}`;
    const flags = ['--concurrency', '10', '--duration', '3s', '--warmup', '0', '--json'];
    const bench = home.run(['bench', url('/ours'), ...flags]);
    const wrk = new ChildProgram('wrk', ['-c', '10', '-t', '1', '-d', '3s', url('/theirs')], process.env, home.path);
    await Promise.all([bench.ended(), wrk.ended()]);
    // Each is held against what came of it: they do not run in the same moments, and a machine may be busy in some.
    const told = (perSecond: number, at: readonly number[]): number =>
      (perSecond * ((at.at(-1) ?? 0) - (at[0] ?? 0))) / 1000 / at.length;
    const theirs = told(Number(/Requests\/sec:\s+([\d.]+)/.exec(wrk.stdout)?.[1]), arrivals['/theirs']);
    const ours = told(documentOf(bench).results[0]?.requestsPerSecond ?? 0, arrivals['/ours']);
    expect(arrivals['/theirs'].length).toBeGreaterThan(100);
    expect(ours / theirs).toBeGreaterThan(0.9);
    expect(ours / theirs).toBeLessThan(1.1);
  });

  it('O8 counts failures exactly, and gives the verdict by its exit status', async () => {
    await using home = new GiraffeHome();
    let count = 0;
    await using origin = await startHttpOrigin((request, response) => {
      count += 1;
      if (count % 7 === 0) response.statusCode = 503;
      if (count % 11 === 0) request.socket.destroy();
      else response.end('x');
    });
    const args = ['bench', `http://127.0.0.1:${origin.port}/`, '--requests', '300', '--concurrency', '7'];
    // 42 are multiples of 7, 27 of 11, of which 3 of both.
    const bench = home.run([...args, '--json', '--assert', 'requests==300,failed<=20%,p99<30s']);
    expect(await bench.ended()).toMatchObject({ code: 1 });
    const { results, assertions } = documentOf(bench);
    expect(results[0]).toMatchObject({
      requests: 300,
      failed: 66,
      statuses: { '200': 234, '503': 39 },
      errors: { closed: 27, 'status-503': 39 },
    });
    expect(assertions.map(({ holds }) => holds)).toEqual([true, false, true]);
    expect(count).toBe(300);
    const good = home.run([...args, '--assert', 'failed<50%']);
    expect(await good.ended()).toMatchObject({ code: 0 });
    expect(good.stdout).toMatch(/^Requests: 300, Failed: \d+ \(\d+%\), Avg Latency: [\d.]+ms\n/);
    expect(good.stdout).toMatch(/\nok {6}failed<50% \(seen \d+%\)\n$/);
    expect(good.stderr).toBe('');
  });

  it('O6 refuses an expression with the place, and a URL where nothing listens', async () => {
    await using home = new GiraffeHome();
    const gone = await startHttpOrigin(() => undefined);
    await gone[Symbol.asyncDispose]();
    const url = `http://127.0.0.1:${gone.port}/`;
    const [wrong, nobody] = [home.run(['bench', url, '--assert', 'p99<50']), home.run(['bench', url, '--json'])];
    const nowhere = home.run(['bench', url, '--report', 'no/such/folder/report.html']);
    expect(await nowhere.ended()).toMatchObject({ code: 2 });
    expect(nowhere.stderr).toContain('--report: ENOENT');
    expect(await wrong.ended()).toMatchObject({ code: 2 });
    expect(wrong.stderr).toContain('at character 5 ("50"): p99 needs a unit; accepted are us, µs, ms, s, m');
    expect(await nobody.ended()).toMatchObject({ code: 1 });
    expect(nobody.events).toEqual([expect.objectContaining({ event: 'error', code: 'GIR_ERR_LOAD_TARGET' })]);
  });

  it('speaks TLS, and verifies the certificate unless told otherwise', async () => {
    await using home = new GiraffeHome();
    const { certPem, keyPem, caPem } = await testCertificate();
    const server = createServer({ cert: certPem, key: keyPem }, (_request, response) => response.end('x'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const ca = join(home.path, 'ca.pem');
    writeFileSync(ca, caPem);
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
    const args = ['bench', url, '--requests', '20', '--concurrency', '2'];
    const [refused, trusted, insecure] = [
      home.run(args),
      home.run([...args, '--ca', ca]),
      home.run([...args, '--insecure', '--no-keep-alive']),
    ];
    expect(await refused.ended()).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('certificate');
    for (const bench of [trusted, insecure]) {
      expect(await bench.ended()).toMatchObject({ code: 0 });
      expect(bench.stdout).toContain('Requests: 20, Failed: 0 (0%)');
    }
    server.closeAllConnections();
    server.close();
  });

  it('O6 ends early on Ctrl-C, and tells what was measured until then', async () => {
    await using home = new GiraffeHome();
    let count = 0;
    await using origin = await startHttpOrigin((_request, response) => {
      count += 1;
      response.end('x');
    });
    const bench = home.run(['bench', `http://127.0.0.1:${origin.port}/`, '--duration', '10m', '--json']);
    await eventually('a load', () => count > 500, 30_000);
    expect(await bench.end('SIGINT')).toEqual({ code: 130, signal: null });
    const { interrupted, results } = documentOf(bench);
    expect(interrupted).toBe(true);
    expect(results[0]).toMatchObject({ failed: 0 });
    expect(results[0]?.requests).toBeGreaterThan(400);
    expect(bench.stderr).toBe('');
  });
});

describe('giraffe bench', () => {
  it('O8 compares ways of its own, and leaves nothing running', async () => {
    await using home = new GiraffeHome();
    const { env, expectNothingLeft } = temporary(home);
    const flags = ['--compare', 'grpc,tcp,direct', '--requests', '300', '--rounds', '2', '--warmup', '0', '--json'];
    const bench = home.run(['bench', ...flags, '--report', 'report.html'], { env });
    expect(await bench.ended()).toMatchObject({ code: 0 });
    const { v, event, results, machine } = documentOf(bench);
    expect({ v, event }).toEqual({ v: 1, event: 'bench' });
    expect(machine).toMatchObject({ cores: expect.any(Number), node: process.version });
    expect(results.map(({ way, requests, failed }) => ({ way, requests, failed }))).toEqual(
      ['grpc', 'tcp', 'direct'].map((way) => ({ way, requests: 300, failed: 0 })),
    );
    expect(bench.stderr).toBe('');
    expect(readFileSync(join(home.path, 'report.html'), 'utf8')).toContain('<h1>grpc · tcp · direct</h1>');
    await expectNothingLeft();
  });

  it.each([
    ['Ctrl-C', 'SIGINT', { code: 130, signal: null }],
    ['kill -9', 'SIGKILL', { code: null, signal: 'SIGKILL' }],
  ] as const)('O8 leaves nothing running after %s', async (_what, signal, expected) => {
    await using home = new GiraffeHome();
    const { env, expectNothingLeft, processes } = temporary(home);
    const bench = home.run(['bench', '--duration', '10m', '--concurrency', '200'], { env });
    const hasLoad = (): boolean => processes().length === 4 && 200 < readdirSync(`/proc/${bench.pid}/fd`).length;
    await eventually('a load', hasLoad, 30_000);
    expect(await bench.end(signal)).toEqual(expected);
    // Nobody can take the folder along when the bench itself is killed.
    await (signal === 'SIGINT' ? expectNothingLeft() : eventually('no process', () => processes().length === 0));
  });
});
