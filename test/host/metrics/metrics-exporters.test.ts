import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { defineExtension, extensionApiVersion, type MetricsExporter } from '../../../src/extension/index.ts';
import { ExtensionRegistry } from '../../../src/host/extensions/extension-registry.ts';
import { selectExporters } from '../../../src/host/metrics/metrics-exporters.ts';
import type { NamedExporter } from '../../../src/host/metrics/metrics-runner.ts';
import type { ConfigWithFile } from '../../../src/host/settings/program-config.ts';
import builtIns from '../../../src/plugins/index.ts';
import { testWorkshop } from '../../support/workshop.ts';

function configOf(...metrics: { exporter: string; options?: object }[]): ConfigWithFile {
  const config = { metrics: metrics.map((one) => ({ options: {}, ...one })) };
  return { file: { config } } as unknown as ConfigWithFile;
}

async function toolsOf(...more: MetricsExporter[]) {
  const odd = more.map((exporter, index) =>
    defineExtension({
      apiVersion: extensionApiVersion,
      kind: 'metrics-exporter',
      name: `odd${index}`,
      summary: '',
      options: z.strictObject({}),
      create: async () => exporter,
    }),
  );
  const installed = [...(await builtIns()), ...odd].map((extension) => ({ extension, plugin: 'test' }));
  const used: (readonly NamedExporter[])[] = [];
  return {
    used,
    registry: async () => new ExtensionRegistry(installed as never),
    workshop: testWorkshop(),
    runner: { use: (list: readonly NamedExporter[]) => void used.push(list) },
  };
}

describe('selectExporters()', () => {
  it('O2 makes the exporters that the configuration names, with their intervals, and none by default', async () => {
    const tools = await toolsOf();
    const config = configOf(
      { exporter: 'log' },
      { exporter: 'prometheus' },
      { exporter: 'otlp', options: { interval: '30s' } },
      { exporter: 'statsd' },
    );
    const { value } = await selectExporters(tools, config);
    const shown = value.map(({ name, exporter }) => [name, exporter.mode === 'push' ? exporter.intervalMs : 0]);
    expect(shown).toEqual([
      ['log', 60_000],
      ['prometheus', 0],
      ['otlp', 30_000],
      ['statsd', 10_000],
    ]);
    expect((await selectExporters(tools, configOf())).value).toEqual([]);
  });

  it('O2 puts other exporters in force when the section changes, and only then', async () => {
    const tools = await toolsOf();
    const selected = await selectExporters(tools, configOf({ exporter: 'log' }));
    expect(await selected.prepare(configOf({ exporter: 'log' }))).toBeUndefined();
    (await selected.prepare(configOf({ exporter: 'prometheus' })))?.apply();
    expect(tools.used.map((list) => list.map(({ name }) => name))).toEqual([['prometheus']]);
    await selected[Symbol.asyncDispose]();
  });

  it.each([
    ['nothing', { exporter: 'nothing' }, 'GIR_ERR_CONFIG', /no metrics exporter named nothing/],
    ['a bad interval', { exporter: 'log', options: { interval: '1ms' } }, 'GIR_ERR_CONFIG', /between 100ms and 24h/],
    ['a bad URL', { exporter: 'otlp', options: { endpoint: 'ftp://x' } }, 'GIR_ERR_CONFIG', /http:\/\/ or https:\/\//],
    [
      'an exporter without export()',
      { exporter: 'odd0' },
      'GIR_ERR_EXTENSION_LOAD',
      /exporter odd0 .* does not have render\(\)/,
    ],
  ])('O2 refuses %s by name', async (_, selection, code, message) => {
    const tools = await toolsOf({ mode: 'push', intervalMs: 1000 } as never);
    const failure = await selectExporters(tools, configOf(selection)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
