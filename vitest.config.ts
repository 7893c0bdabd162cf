/**
 * Four projects: unit (in one process, fast), integration (edge, agent and origin together), e2e (real processes), and
 * clock (minutes that have to pass, and no work meanwhile).
 */
import { defineConfig } from 'vitest/config';

const shared = {
  disableConsoleIntercept: true,
  pool: 'forks',
  // What is polled for comes when it comes; the default of a second is a guess about the machine.
  expect: { poll: { timeout: 20_000 } },
} as const;

export default defineConfig({
  test: {
    // Two that work, and one that waits: projects start in the order of their names, so clock is under way from the start.
    maxWorkers: 3,
    reporters: ['default', ['json', { outputFile: '.cache/test-results.json' }]],
    projects: [
      {
        test: {
          ...shared,
          name: 'clock',
          include: ['test/clock/**/*.test.ts'],
          maxConcurrency: 20,
        },
      },
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/clock/**', 'test/integration/**', 'test/security/**', 'test/e2e/**', 'test/fixtures/**'],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/security/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'examples/vitest/*.test.ts'],
          globalSetup: ['test/support/require-build.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
