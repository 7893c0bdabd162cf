/** A metrics exporter: every counter on a line of its own, for whoever asks. */
import * as z from 'zod';

/** @type {import('giraffe-tunnel/extension').Extension<'metrics-exporter'>} */
export const lineCount = {
  apiVersion: 1,
  kind: 'metrics-exporter',
  name: 'line-count',
  summary: 'Counters as lines of plain text.',
  options: z.strictObject({ prefix: z.string().default('').describe('Text before each name.') }),
  create: async ({ prefix }) => ({
    mode: 'pull',
    contentType: 'text/plain',
    render: ({ metrics }) =>
      metrics
        .filter(({ kind }) => kind === 'counter')
        .map(({ name, samples }) => `${prefix}${name} ${samples.reduce((sum, { value }) => sum + value, 0)}\n`)
        .join(''),
  }),
};
