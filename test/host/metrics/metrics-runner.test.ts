import { describe, expect, it } from 'vitest';
import { ExtensionGuard } from '../../../src/extension/guard.ts';
import type { MetricsExporter } from '../../../src/extension/index.ts';
import { MetricsRunner } from '../../../src/host/metrics/metrics-runner.ts';
import { edgeSnapshot } from '../../plugins/metrics/snapshot.ts';
import { eventually } from '../../support/eventually.ts';
import { recordingLogger } from '../../support/world.ts';

type Export = Extract<MetricsExporter, { mode: 'push' }>['export'];

function runnerOf(work: Export, { intervalMs = 5, timeoutMs = 1000 } = {}) {
  const { logger, lines } = recordingLogger();
  const guard = new ExtensionGuard();
  const runner = new MetricsRunner({ logger, guard, snapshot: () => edgeSnapshot(), timeoutMs });
  runner.use([{ name: 'mine', exporter: { mode: 'push', intervalMs, export: work } }]);
  return { runner, lines, guard };
}

describe('MetricsRunner', () => {
  it('O2 says once that an exporter fails, and once that it works again', async () => {
    let calls = 0;
    const { runner, lines, guard } = runnerOf(async () => {
      calls += 1;
      if (calls <= 3) throw new Error('no collector');
    });
    await eventually('it works again', () => lines.length === 2);
    await runner[Symbol.asyncDispose]();
    expect(lines).toEqual([
      { level: 'warn', exporter: 'mine', detail: 'no collector', message: 'metrics exporter failed' },
      { level: 'info', exporter: 'mine', message: 'metrics exporter works again' },
    ]);
    expect(guard.metric().samples).toMatchObject([{ value: 3 }]);
  });

  it('O2 gives up an exporter that stalls, and never calls it twice at once', async () => {
    let calls = 0;
    let isAborted = false;
    const { runner, lines } = runnerOf(
      (_snapshot, signal) => {
        calls += 1;
        signal.addEventListener('abort', () => (isAborted = true));
        return new Promise(() => {});
      },
      { timeoutMs: 30 },
    );
    await eventually('it is given up', () => isAborted);
    await runner[Symbol.asyncDispose]();
    expect([calls, lines.length]).toEqual([1, 1]);
    expect(lines[0]).toMatchObject({ exporter: 'mine', detail: 'no answer within 30 ms' });
  });

  it('O2 exports once more when it ends, and when exporters are replaced', async () => {
    const seen: string[] = [];
    const exporter = (name: string): MetricsExporter => ({
      mode: 'push',
      intervalMs: 1_000_000,
      export: async () => void seen.push(name),
    });
    const { logger } = recordingLogger();
    const runner = new MetricsRunner({ logger, guard: new ExtensionGuard(), snapshot: () => edgeSnapshot() });
    runner.use([{ name: 'a', exporter: exporter('a') }]);
    runner.use([{ name: 'b', exporter: exporter('b') }]);
    await runner[Symbol.asyncDispose]();
    expect(seen).toEqual(['a', 'b']);
  });

  it('O2 offers exporters that render, and logs when one cannot', () => {
    const { logger, lines } = recordingLogger();
    const guard = new ExtensionGuard();
    const runner = new MetricsRunner({ logger, guard, snapshot: () => edgeSnapshot() });
    const render = (): string => {
      throw new Error('broken');
    };
    runner.use([{ name: 'page', exporter: { mode: 'pull', contentType: 'text/plain', render } }]);
    const [pull] = runner.pullExporters;
    const fault = expect.objectContaining({ code: 'GIR_ERR_EXTENSION_FAULT' });
    expect(() => pull?.render()).toThrow(fault);
    expect(() => pull?.render()).toThrow(fault);
    expect(lines).toMatchObject([{ exporter: 'page', detail: 'broken' }]);
    expect(guard.metric().samples).toEqual([{ labels: { kind: 'metrics-exporter', name: 'page' }, value: 2 }]);
  });
});
