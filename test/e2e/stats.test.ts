/** Known traffic through real processes, and everything that tells figures of it: they agree to the last request and octet. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GiraffeHome, servesHybrid } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { sendKnownTraffic, startKnownOrigin, startUpgradeOrigin } from '../support/known-traffic.ts';
import { ManagementApi } from '../support/management-api.ts';

const figures = {
  app: { requests: 8, responses: 5, errors: 3, inFlight: 0, requestBytes: 1008, responseBytes: 1040, reconnects: 0 },
  up: { requests: 1, responses: 1, errors: 0, inFlight: 0, requestBytes: 5, responseBytes: 5, reconnects: 0 },
};
const tunnels = [
  { domain: 'app.localhost', ...figures.app, transports: { grpc: 5, tcp: 3, upgrades: 0 } },
  { domain: 'up.localhost', ...figures.up, transports: { grpc: 0, tcp: 1, upgrades: 1 } },
];

interface Metric {
  readonly name: string;
  readonly samples: readonly { readonly labels: Record<string, string>; readonly value: number }[];
}

describe('figures', () => {
  it('O2 the four log lines, /metrics, the API and stats --json agree after known traffic, at edge and agent', async () => {
    await using home = new GiraffeHome();
    await using app = await startKnownOrigin();
    await using up = await startUpgradeOrigin();
    const metrics = 'metrics: [ { exporter: log, options: { interval: 200ms } }, { exporter: prometheus } ]';
    const opened = `tunnels: { app: { domain: app.localhost, target: ${app.port} }, up: { domain: up.localhost, target: ${up.port} } }`;
    writeFileSync(join(home.path, 'giraffe.config.yaml'), `${metrics}\n${opened}\n`);
    const edge = await home.startEdge();
    const agent = home.run(['tunnel', '--server', `localhost:${edge.ports.grpc}`, '--json', '--inspect-port', '0']);
    await servesHybrid(agent);
    const api = new ManagementApi(edge.ports.api, home.stateDir);
    await sendKnownTraffic(edge.ports.proxy, 'localhost', async () => {
      const { totals } = (await api.json('/api/v1/stats')) as { readonly totals: { readonly inFlight: number } };
      return totals.inFlight;
    });

    // The API, and the command that reads it.
    const stats = await api.json('/api/v1/stats');
    const totals = { requests: 10, responses: 6, errors: 4, requestBytes: 1013, responseBytes: expect.any(Number) };
    expect(stats).toMatchObject({ totals: { ...totals, webSockets: 1 }, tunnels });
    const command = home.run(['stats', '--json', '--api-port', String(edge.ports.api)]);
    expect(await command.ended()).toMatchObject({ code: 0 });
    const [shown] = command.events;
    expect(shown).toMatchObject({
      v: 1,
      event: 'stats',
      from: 'edge',
      totals: { ...(stats['totals'] as object), recent: expect.anything() },
      tunnels,
    });

    // Metrics, as JSON and as text.
    const { metrics: all } = (await api.json('/api/v1/metrics')) as unknown as { readonly metrics: readonly Metric[] };
    const sum = (name: string) => {
      const samples = all.find((metric) => metric.name === name)?.samples ?? [];
      return samples.reduce((total, { value }) => total + value, 0);
    };
    const bytes = (stats['totals'] as { readonly responseBytes: number }).responseBytes;
    expect([sum('giraffe_requests_total'), sum('giraffe_responses_total'), sum('giraffe_errors_total')]).toEqual([
      10, 6, 4,
    ]);
    expect([sum('giraffe_request_bytes_total'), sum('giraffe_response_bytes_total')]).toEqual([1013, bytes]);
    const text = await (await api.send('/metrics')).text();
    for (const metric of all.filter(({ name }) => /_(requests|responses|errors|bytes)_total$/.test(name))) {
      for (const { labels, value } of metric.samples) {
        const names = Object.entries(labels).map(([name, label]) => `${name}="${label}"`);
        expect(text.split('\n')).toContain(
          `${metric.name}${names.length === 0 ? '' : `{${names.join(',')}}`} ${value}`,
        );
      }
    }

    // The four lines.
    await edge.process.prints('[HYBRID METRICS] Total: 10, gRPC: 5 (50.0%), TCP: 4 (40.0%), WebSocket: 1, Errors: 4');
    await edge.process.prints(
      '[gRPC METRICS] Active Streams: 1, Total Requests: 5, Concurrent: 0, Responses: 4, Errors: 1',
    );
    await edge.process.prints(/\[MEMORY\] Total: \d+\.\dMB/);
    await agent.prints('[gRPC CLIENT] Domain: app.localhost, Requests: 8, Responses: 5, Errors: 3, Reconnects: 0');
    await agent.prints('[gRPC CLIENT] Domain: up.localhost, Requests: 1, Responses: 1, Errors: 0, Reconnects: 0');

    // The agent's own count, when no edge answers.
    await edge.process.end('SIGKILL');
    const local = home.run(['stats', '--json', '--api-port', String(edge.ports.api)]);
    expect(await local.ended()).toMatchObject({ code: 0 });
    const counted = tunnels.map(({ reconnects: _, ...tunnel }) => tunnel);
    expect(local.events[0]).toMatchObject({ from: 'agents', tunnels: counted, totals: { requests: 9, errors: 3 } });
  });

  it('O2 stats reaches an agent that runs with --no-inspect, and names one that does not answer', async () => {
    await using home = new GiraffeHome();
    await using app = await startKnownOrigin();
    const edge = await home.startEdge();
    const agent = await home.startAgent(edge, app.port, ['--domain', 'app.localhost', '--no-inspect']);
    using client = new HttpClient(edge.ports.proxy, 'app.localhost');
    expect((await client.get('/ten')).status).toBe(200);
    const stats = ['stats', '--api-port', '9'];
    const answered = home.run([...stats, '--json']);
    expect(await answered.ended()).toMatchObject({ code: 0 });
    expect(answered.events[0]).toMatchObject({ from: 'agents', tunnels: [{ domain: 'app.localhost', requests: 1 }] });

    await using frozen = await home.startAgent(edge, app.port, ['--domain', 'b.localhost', '--no-inspect']);
    frozen.kill('SIGSTOP');
    const partial = home.run([...stats, '--json']);
    expect(await partial.ended()).toMatchObject({ code: 0 });
    expect(partial.events[0]).toMatchObject({
      tunnels: [{ domain: 'app.localhost' }],
      silent: [expect.stringMatching(/^process \d+ \(b\.localhost\)$/)],
    });
    await agent.end('SIGTERM');
    const none = home.run(stats);
    expect(await none.ended()).toMatchObject({ code: 6 });
    expect(none.stderr).toMatch(/agents run that do not answer: process \d+ \(b\.localhost\)/);
    frozen.kill('SIGCONT');
  });

  it('O6 stats tells what is wrong and exits accordingly', async () => {
    await using home = new GiraffeHome();
    const nothing = home.run(['stats', '--api-port', '9']);
    expect(await nothing.ended()).toMatchObject({ code: 6 });
    expect(nothing.stderr).toContain('GIR_ERR_NOTHING_RUNS');
    const edge = await home.startEdge();
    const port = ['--api-port', String(edge.ports.api)];
    const env = { GIRAFFE_ADMIN_TOKEN: 'gra_wrong' };
    const refused = home.run(['stats', ...port], { env });
    expect(await refused.ended()).toMatchObject({ code: 7 });
    expect(refused.output).not.toContain('gra_wrong');
    const unknown = home.run(['stats', ...port, '--domain', 'nobody.localhost']);
    expect(await unknown.ended()).toMatchObject({ code: 1 });
    const usage = home.run(['stats', '--api', 'nonsense']);
    expect(await usage.ended()).toMatchObject({ code: 2 });
  });

  it('O6 stats with an admin token that the edge refuses does not tell the figures of agents instead', async () => {
    await using home = new GiraffeHome();
    await using app = await startKnownOrigin();
    const edge = await home.startEdge();
    await home.startAgent(edge, app.port);
    const port = ['--api-port', String(edge.ports.api)];
    const refused = home.run(['stats', ...port], { env: { GIRAFFE_ADMIN_TOKEN: 'gra_wrong' } });
    expect(await refused.ended()).toMatchObject({ code: 7 });
    expect(refused.stdout).toBe('');
  });

  it('O6 stats --watch prints a line for each look without a terminal, and ends cleanly', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const watch = home.run(['stats', '--api-port', String(edge.ports.api), '--watch', '--interval', '250ms']);
    await watch.until('two lines', () => watch.stdout.split('\n').length > 2);
    expect(await watch.end('SIGINT')).toEqual({ code: 0, signal: null });
    expect(watch.stdout).toMatch(/^\S+Z {2}requests 0 \(0\.0\/s\) {2}errors 0/);
    expect(watch.stdout).not.toContain('\u001b');
  });
});
