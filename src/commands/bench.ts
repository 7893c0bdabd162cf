/** `giraffe bench`: load test of a URL, or of an origin, edge and agent of its own. */
import { Args, Flags } from '@oclif/core';
import { benchSettings } from '../config/bench-settings.ts';
import { GiraffeCommand } from '../host/oclif/base-command.ts';
import { flagsOf } from '../host/oclif/setting-flags.ts';

export default class Bench extends GiraffeCommand {
  static override summary = 'Load test: how much a tunnel, or any URL, can do.';
  static override description =
    'Without a URL it starts an origin, an edge and an agent of its own on free ports, loads them, and ends them ' +
    'again. Ctrl-C ends early and tells what was measured until then.\n\nA request has failed when no whole answer ' +
    'came, or one with a status of 400 or above; latencies are those of the others. What the generator itself costs is ' +
    'told, and when it was the limit.\n\nMetrics of --assert: requests, succeeded, failed (a count or %), rps, avg, min, ' +
    'max, stddev, p50, p90, p95, p99, p99.9 and any other percentile, received, sent, download, upload, status.200, ' +
    'status.5xx, errors.timeout and so on. Times need a unit (us, ms, s), octets B, kB, MB, KiB or MiB, and their rates /s.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --requests 10000 --concurrency 100 --body-size 64KiB',
    '<%= config.bin %> <%= command.id %> --compare grpc,tcp,direct --report bench.html',
    '<%= config.bin %> <%= command.id %> --scenario head-of-line',
    "<%= config.bin %> <%= command.id %> https://app.test/ --rate 200 --assert 'p99<50ms,failed==0'",
    '<%= config.bin %> <%= command.id %> ws://localhost:3000/echo --concurrency 500',
  ];
  static override args = {
    url: Args.string({ name: 'URL', description: 'What to load: http, https, ws or wss.' }),
  };
  static override flags = {
    ...flagsOf(benchSettings),
    header: Flags.string({
      multiple: true,
      helpValue: 'LINE',
      description: "Header of each request, 'Name: value'; @FILE reads one per line. May be repeated.",
    }),
  };

  protected override async execute(): Promise<number> {
    const { args, flags } = await this.parse(Bench);
    const { runBench } = await import('../host/bench/bench-host.ts');
    const { header = [], ...settings } = flags;
    return runBench({
      ...this.contextOf(settings),
      url: args.url,
      headers: header as readonly string[],
      version: this.config.version,
    });
  }
}
