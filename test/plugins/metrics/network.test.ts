import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { MetricsExporter, MetricsSnapshot } from '../../../src/extension/index.ts';
import { otlp } from '../../../src/plugins/metrics/otlp.ts';
import { statsd } from '../../../src/plugins/metrics/statsd.ts';
import { eventually } from '../../support/eventually.ts';
import { testContext } from '../../support/workshop.ts';
import { edgeSnapshot, oddSnapshot } from './snapshot.ts';

const context = testContext();

async function push(exporter: MetricsExporter, snapshot: MetricsSnapshot, signal = new AbortController().signal) {
  if (exporter.mode !== 'push') throw new Error('the exporter does not push');
  await exporter.export(snapshot, signal);
}

async function collector(status: number) {
  const requests: { path: string | undefined; authorization: string | undefined; body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { authorization } = request.headers;
    requests.push({ path: request.url, authorization, body: JSON.parse(Buffer.concat(chunks).toString()) });
    response.writeHead(status).end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('the exporter otlp', () => {
  it('O2 sends figures to a collector as OTLP in JSON', async () => {
    await using server = await collector(200);
    const options = otlp.options.parse({ endpoint: `${server.url}/`, headers: { Authorization: 'Bearer x' } });
    await push(await otlp.create(options, context), oddSnapshot);
    const [request] = server.requests;
    expect([request?.path, request?.authorization]).toEqual(['/v1/metrics', 'Bearer x']);
    const times = { startTimeUnixNano: '1700000000000000000', timeUnixNano: '1700000060500000000' };
    const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
    expect(request?.body).toMatchObject({
      resourceMetrics: [
        {
          resource: { attributes: [attribute('service.name', 'giraffe'), {}, attribute('giraffe.role', 'edge')] },
          scopeMetrics: [
            {
              metrics: [
                {
                  name: 'a_total',
                  unit: 'By',
                  sum: {
                    aggregationTemporality: 2,
                    isMonotonic: true,
                    dataPoints: [
                      { ...times, attributes: [attribute('code', 'quo"te\\\n')], asInt: '3' },
                      { ...times, attributes: [attribute('code', 'plain')], asDouble: 1.5 },
                    ],
                  },
                },
                { name: 'g', unit: '1', gauge: { dataPoints: [{ ...times, attributes: [], asInt: '2' }] } },
                {
                  name: 'h_seconds',
                  unit: 's',
                  histogram: {
                    aggregationTemporality: 2,
                    dataPoints: [
                      { ...times, count: '6', sum: 4.25, bucketCounts: ['2', '3', '1'], explicitBounds: [0.1, 1] },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
    });
  });

  it('O2 says so when the collector refuses, or its time is over', async () => {
    await using server = await collector(503);
    const exporter = await otlp.create(otlp.options.parse({ endpoint: server.url }), context);
    await expect(push(exporter, oddSnapshot)).rejects.toThrow('the collector answered with status 503');
    await expect(push(exporter, oddSnapshot, AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
  });
});

async function statsdServer() {
  const datagrams: string[] = [];
  const socket = createSocket('udp4', (message) => void datagrams.push(message.toString()));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    datagrams,
    lines: () => datagrams.join('').split('\n').filter(Boolean),
    [Symbol.dispose]: () => socket.close(),
  };
}

describe('the exporter statsd', () => {
  it('O2 sends gauges, and of counters what came since the last export', async () => {
    using server = await statsdServer();
    const options = statsd.options.parse({ port: server.port, prefix: 'my.' });
    const exporter = await statsd.create(options, context);
    await push(exporter, oddSnapshot);
    const first = ['my.a_total.quo_te__:3|c', 'my.a_total.plain:1.5|c', 'my.g:2|g'];
    const all = [...first, 'my.h_seconds.count.grpc:6|c', 'my.h_seconds.sum.grpc:4.25|c'];
    await eventually('the lines are there', () => server.lines().length >= all.length);
    expect(server.lines()).toEqual(all);
    await push(exporter, oddSnapshot);
    await eventually('the second export is there', () => server.lines().length > all.length);
    expect(server.lines().slice(all.length)).toEqual(['my.g:2|g']);
  });

  it('O2 sends labels as tags when asked to', async () => {
    using server = await statsdServer();
    const exporter = await statsd.create(statsd.options.parse({ port: server.port, tags: 'dogstatsd' }), context);
    await push(exporter, edgeSnapshot());
    await eventually('the lines are there', () => server.lines().some((line) => line.startsWith('giraffe_client')));
    expect(server.lines()).toContain('giraffe_responses_total:950|c|#transport:grpc');
  });

  it('O2 adds up gauges whose labels make the same name', async () => {
    using server = await statsdServer();
    const samples = ['a.b', 'a_b', 'c'].map((endpoint, index) => ({ labels: { endpoint }, value: index + 1 }));
    const metrics = [{ kind: 'gauge', name: 'open', help: '', unit: '', samples } as const];
    for (const tags of ['none', 'dogstatsd']) {
      const options = statsd.options.parse({ port: server.port, tags });
      await push(await statsd.create(options, context), { ...oddSnapshot, metrics });
    }
    await eventually('the lines are there', () => server.lines().length >= 4);
    expect(server.lines()).toEqual(['open.a_b:3|g', 'open.c:3|g', 'open:3|g|#endpoint:a_b', 'open:3|g|#endpoint:c']);
  });

  it('O2 keeps datagrams within their bound', async () => {
    using server = await statsdServer();
    const options = statsd.options.parse({ port: server.port, maxDatagramBytes: 512 });
    const samples = Array.from({ length: 100 }, (_, index) => ({ labels: { n: `${index}` }, value: index + 1 }));
    const metrics = [{ kind: 'counter', name: 'many_total', help: '', unit: '', samples } as const];
    await push(await statsd.create(options, context), { ...oddSnapshot, metrics });
    await eventually('all lines are there', () => server.lines().length === samples.length);
    expect(Math.max(...server.datagrams.map((text) => text.length))).toBeLessThanOrEqual(512);
    expect(server.lines()[99]).toBe('many_total.99:100|c');
  });
});
