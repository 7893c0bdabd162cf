/** What the programs for those who change giraffe leave behind when they are ended early: nothing. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Lifetimes } from '../../src/host/lifecycle/lifetimes.ts';
import { eventually } from '../support/eventually.ts';
import { ChildProgram } from '../support/giraffe-process.ts';
import { markedProcesses } from '../support/marked-processes.ts';
import { root } from '../support/repository.ts';

interface Script {
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
  /** A process that it starts late. */
  readonly late: string;
  /** One of the signals, which all three take in the same way. */
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP';
}

const scripts: Readonly<Record<string, Script>> = {
  // The command that an agent wraps is a child of that agent.
  bench: {
    file: 'bench/run.ts',
    env: { BENCH_ROUNDS: '0', BENCH_SECONDS: '0.05' },
    late: 'sleep 86400',
    signal: 'SIGHUP',
  },
  soak: {
    file: 'soak/run.ts',
    env: { SOAK_CLIENTS: '2', SOAK_ONLY: 'edge-reloaded' },
    late: ' tcp.localhost ',
    signal: 'SIGTERM',
  },
  demo: { file: 'scripts/demo.ts', env: {}, late: ' demo.localhost ', signal: 'SIGINT' },
};

describe.each(Object.entries(scripts))('npm run %s', (_name, { file, env, late, signal }) => {
  it.each([signal, 'EPIPE'] as const)('ends what it has started at %s', async (reason) => {
    await using all = new Lifetimes();
    const folder = mkdtempSync(join(tmpdir(), 'giraffe-e2e-'));
    all.defer(async () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
    // Everything is started with the same folder for what is temporary.
    const started = (): string[] => markedProcesses('TMPDIR', folder);
    const program = all.use(
      new ChildProgram(
        process.execPath,
        ['--import', 'jiti/register', file],
        { ...process.env, ...env, TMPDIR: folder },
        root,
      ),
    );
    await eventually('it has started much', () => started().some((command) => command.includes(late)), 60_000);
    if (reason === 'EPIPE') program.child.stdout?.destroy();
    else {
      program.child.kill(reason);
      // A shell or npm passes on what the terminal has sent already.
      await nextTurn();
      program.child.kill(reason);
    }
    const { code } = await program.ended(60_000);
    expect(code).toBe({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129, EPIPE: 141 }[reason]);
    await eventually('nothing of it runs', () => started().length === 0);
    expect(readdirSync(folder).filter((name) => name.startsWith('giraffe-'))).toEqual([]);
    expect(program.stderr).not.toContain('    at ');
  });
});
