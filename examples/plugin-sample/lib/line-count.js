/** A metrics exporter: every counter on a line of a file, which is written anew each time. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';

/** @type {import('giraffe-tunnel/extension').Extension<'metrics-exporter'>} */
export const lineCount = {
  apiVersion: 1,
  kind: 'metrics-exporter',
  name: 'line-count',
  summary: 'Counters as lines of a file.',
  options: z.strictObject({
    file: z.string().default('counters.txt').describe('The file; relative to the configuration file.'),
    seconds: z.int().min(1).max(86_400).default(60).describe('Time between two writes, in seconds.'),
  }),
  create: async ({ file, seconds }, { configDir }) => ({
    mode: 'push',
    intervalMs: seconds * 1000,
    export: ({ metrics }, signal) => writeFile(resolve(configDir, file), lines(metrics), { signal }),
  }),
};

const lines = (metrics) =>
  metrics
    .filter(({ kind }) => kind === 'counter')
    .map(({ name, samples }) => `${name} ${samples.reduce((sum, { value }) => sum + value, 0)}\n`)
    .join('');
