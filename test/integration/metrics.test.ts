import { describe, expect, it } from 'vitest';
import { AgentFigures } from '../../src/agent/figures.ts';
import { ExtensionGuard } from '../../src/extension/guard.ts';
import { agentSnapshot } from '../../src/host/agent/agent-metrics.ts';
import { Lifetimes } from '../../src/host/lifecycle/lifetimes.ts';
import { MetricsRunner } from '../../src/host/metrics/metrics-runner.ts';
import { parseTarget } from '../../src/http/target.ts';
import { sumOf } from '../../src/plugins/metrics/figures-of.ts';
import { logLines } from '../../src/plugins/metrics/log.ts';
import { prometheusText } from '../../src/plugins/metrics/prometheus.ts';
import type { EndpointFigures } from '../../src/telemetry/exchange-tally.ts';
import { eventually } from '../support/eventually.ts';
import { sendKnownTraffic, startKnownOrigin, startUpgradeOrigin } from '../support/known-traffic.ts';
import { startLinks } from '../support/links.ts';
import { recordingLogger, startTestAgent, startTestEdge, type TestEdge } from '../support/world.ts';

/** Sends the known traffic through the edge. */
function sendThrough({ edge }: TestEdge): Promise<void> {
  return sendKnownTraffic(edge.ports.proxy, 'test', () => sumOf(edge.snapshot(), 'giraffe_requests_in_flight'));
}

async function startWorld(figures = new AgentFigures()) {
  const stack = new Lifetimes();
  const app = stack.use(await startKnownOrigin());
  const upgrades = stack.use(await startUpgradeOrigin());
  const edge = stack.use(await startTestEdge());
  const tunnels = [
    { domain: 'app.test', target: parseTarget(app.target) },
    { domain: 'up.test', target: parseTarget(upgrades.target) },
  ] as const;
  stack.use(await startTestAgent(edge.edge.ports, 'app.test', app.target, { tunnels, figures }));
  return { edge, figures, [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose]() };
}

describe('figures of known traffic', () => {
  it('O2 agree in the snapshot, the statistics, the log and Prometheus to the last request and octet', async () => {
    await using world = await startWorld();
    await sendThrough(world.edge);
    const { edge } = world.edge;
    const snapshot = edge.snapshot();
    const total = (name: string, labels = {}) => sumOf(snapshot, `giraffe_${name}_total`, labels);

    expect([total('requests'), total('responses'), total('errors')]).toEqual([10, 6, 4]);
    expect([total('responses', { transport: 'grpc' }), total('errors', { transport: 'grpc' })]).toEqual([4, 1]);
    expect([total('responses', { transport: 'tcp' }), total('errors', { transport: 'tcp' })]).toEqual([2, 2]);
    expect(total('errors', { transport: 'tcp', code: 'GIR_ERR_CLIENT_GONE' })).toBe(1);
    expect(total('errors', { transport: 'none', code: 'GIR_ERR_ENDPOINT_UNKNOWN' })).toBe(1);
    expect([total('request_bytes', { transport: 'grpc' }), total('response_bytes', { transport: 'grpc' })]).toEqual([
      4, 40,
    ]);
    expect([total('request_bytes', { transport: 'tcp' }), total('response_bytes', { transport: 'tcp' })]).toEqual([
      1009, 1005,
    ]);
    expect([total('upgrade_requests', { protocol: 'websocket' }), total('sessions_opened')]).toEqual([1, 1]);

    const [app, up] = edge.stats();
    expect(app).toMatchObject({ requests: 8, responses: 5, errors: 3, requestBytes: 1008, responseBytes: 1040 });
    expect(app?.transports).toEqual({ grpc: 5, tcp: 3, upgrades: 0 });
    expect(up).toMatchObject({ requests: 1, responses: 1, errors: 0, requestBytes: 5, responseBytes: 5 });

    expect(logLines(snapshot, 0).slice(0, 2)).toEqual([
      '[HYBRID METRICS] Total: 10, gRPC: 5 (50.0%), TCP: 4 (40.0%), WebSocket: 1, Errors: 4',
      '[gRPC METRICS] Active Streams: 1, Total Requests: 5, Concurrent: 0, Responses: 4, Errors: 1',
    ]);
    const text = prometheusText(snapshot);
    for (const line of [
      'giraffe_requests_total 10',
      'giraffe_responses_total{transport="tcp"} 2',
      'giraffe_request_bytes_total{transport="tcp"} 1009',
      'giraffe_request_duration_seconds_count{transport="grpc"} 5',
      'giraffe_request_duration_seconds_count{transport="tcp"} 3',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('O2 agree at the agent', async () => {
    await using world = await startWorld();
    await sendThrough(world.edge);
    await eventually('the agent is done', () => {
      const tally = world.figures.tally('app.test');
      return tally.requests === tally.responses + tally.errors;
    });
    expect(logLines(agentSnapshot(world.figures), 0)).toEqual([
      '[gRPC CLIENT] Domain: app.test, Requests: 8, Responses: 5, Errors: 3, Reconnects: 0',
      '[gRPC CLIENT] Domain: up.test, Requests: 1, Responses: 1, Errors: 0, Reconnects: 0',
    ]);
    // Both ends count the same octets and ways; only what was given up differs, by its code.
    const fields = ({
      requests,
      responses,
      errors,
      inFlight,
      requestBytes,
      responseBytes,
      transports,
    }: EndpointFigures) => ({
      ...{ requests, responses, errors, inFlight, requestBytes, responseBytes, transports },
    });
    const atAgent = [...world.figures.tallies.values()].map((tally) => fields(tally.read(performance.now())));
    expect(atAgent).toEqual(world.edge.edge.stats().map(fields));
    const { totals } = world.edge.edge.overview();
    expect(totals).toMatchObject({ requests: 10, responses: 6, errors: 4, inFlight: 0, webSockets: 1 });
    expect(totals.transports).toEqual({ grpc: 5, tcp: 4, none: 1, upgrades: 1 });
    expect([totals.requestBytes, totals.latency.count]).toEqual([1013, 8]);
  });
});

describe('sessions', () => {
  it('O2 counts agents that come back, at both ends', async () => {
    await using origin = await startKnownOrigin();
    await using edge = await startTestEdge();
    await using links = await startLinks(edge.edge.ports);
    const figures = new AgentFigures();
    await using agent = await startTestAgent(edge.edge.ports, 'app.test', origin.target, {
      server: links.server,
      figures,
    });
    links.both('cut');
    await agent.event('reconnecting');
    await eventually('the agent is back', () => figures.tally('app.test').reconnects === 1);
    const total = (name: string) => sumOf(edge.edge.snapshot(), `giraffe_${name}_total`);
    expect([total('sessions_opened'), total('session_reconnects')]).toEqual([2, 1]);
    expect(edge.edge.stats()[0]).toMatchObject({ reconnects: 1 });
  });

  it('O2 counts agents that are refused', async () => {
    await using edge = await startTestEdge();
    await using refused = await startTestAgent(edge.edge.ports, 'app.test', '1', { token: 'wrong', waits: false });
    refused.agent.ready.catch(() => undefined);
    await refused.event('closed');
    const refusals = edge.edge.snapshot().metrics.find(({ name }) => name === 'giraffe_agent_refusals_total');
    expect(refusals?.samples).toEqual([{ labels: { code: 'GIR_ERR_CREDENTIALS_REFUSED' }, value: 1 }]);
  });
});

describe('a broken exporter', () => {
  it('O2 does not disturb traffic', async () => {
    await using world = await startWorld();
    const { logger, lines } = recordingLogger();
    const runner = new MetricsRunner({
      logger,
      guard: new ExtensionGuard(),
      snapshot: () => world.edge.edge.snapshot(),
      timeoutMs: 20,
    });
    runner.use([
      { name: 'stalls', exporter: { mode: 'push', intervalMs: 1, export: () => new Promise(() => {}) } },
      { name: 'fails', exporter: { mode: 'push', intervalMs: 1, export: () => Promise.reject(new Error('no')) } },
    ]);
    await sendThrough(world.edge);
    await eventually('both have failed', () => lines.length === 2);
    await runner[Symbol.asyncDispose]();
    expect(sumOf(world.edge.edge.snapshot(), 'giraffe_responses_total')).toBe(6);
    expect(lines.map(({ exporter }) => exporter).sort()).toEqual(['fails', 'stalls']);
  });
});
