/** The options of V8 that `bin/run.js` sets (docs/adr/0019): whether V8 knows them, and does what they say. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { GiraffeHome } from '../support/giraffe-process.ts';
import { root } from '../support/repository.ts';

/** Size of the young generation, in MiB: large enough for V8 to share the work on it among threads, if it may. */
const youngMiB = 16;
/** Two collections of the young generation, then one of all, which nothing of the kind has gone before. */
const collections = `process.on('exit', () => { gc({ type: 'minor' }); gc({ type: 'minor' }); gc(); });`;
const traces = ['--trace-gc', '--trace-gc-verbose', '--trace-parallel-scavenge'];

let trace: string;

beforeAll(async () => {
  await using home = new GiraffeHome();
  const preload = join(home.path, 'collect.cjs');
  writeFileSync(preload, collections);
  const options = ['--expose-gc', `--min-semi-space-size=${youngMiB}`, ...traces, '--require', preload];
  const program = home.shell(`exec node ${options.join(' ')} ${join(root, 'bin/run.js')} --version`);
  expect(await program.ended()).toEqual({ code: 0, signal: null });
  trace = program.stdout;
});

describe('bin/run.js', () => {
  it('lets the old generation grow to three times what is alive before V8 marks it', () => {
    const limits = [...trace.matchAll(/Limit: old size: (\d+) KB, new limit: (\d+) KB/g)];
    // Once for the heap, and once with what lives outside of it. By itself V8 makes it four times after the first
    // collection, and less with each that follows.
    expect(limits).toHaveLength(2);
    for (const [, alive, limit] of limits) {
      expect((Number(limit) - youngMiB * 1024) / Number(alive)).toBeCloseTo(3, 0);
    }
  });

  it('has the young generation collected by one thread', () => {
    // On a machine of one core V8 does so by itself.
    const collected = trace.match(/: Scavenge /g) ?? [];
    expect(collected.length).toBeGreaterThanOrEqual(2);
    expect(trace.match(/scavenge\[/g)).toHaveLength(collected.length);
  });
});
