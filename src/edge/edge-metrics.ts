/**
 * The figures of an edge as metrics exporters get them. Labels are transports, protocols and codes: small, closed sets.
 */
import type { ErrorCode } from '../errors/codes.ts';
import type { CounterMetric, GaugeMetric, Labels, Metric } from '../extension/metrics-exporter.ts';
import { requestDurationBounds } from '../telemetry/histogram.ts';
import type { EdgeNow } from './edge-now.ts';
import type { EdgeTotals, Way, WayTotals } from './figures.ts';

type Unit = CounterMetric['unit'];
type Sample = { readonly labels: Labels; readonly value: number };

/** Returns all metrics of an edge. Octets, durations and outcomes are those of exchanges that have ended. */
export function edgeMetrics(totals: EdgeTotals, now: EdgeNow): Metric[] {
  return [...exchangeMetrics(totals), ...agentMetrics(totals, now), ...processMetrics(now)];
}

function exchangeMetrics({ requests, inFlight, ways, upgrades, rejected, givenUp }: EdgeTotals): Metric[] {
  const byWay = (value: (way: WayTotals) => number): Sample[] =>
    wayNames.map((transport) => ({ labels: { transport }, value: value(ways[transport]) }));
  return [
    counter('giraffe_requests_total', 'Client requests that began.', [{ labels: {}, value: requests }]),
    gauge('giraffe_requests_in_flight', 'Requests and relays that have not ended.', [{ labels: {}, value: inFlight }]),
    counter(
      'giraffe_responses_total',
      'Exchanges that ended well, by the transport that served them; none for answers of the edge itself.',
      byWay((way) => way.responses),
    ),
    counter(
      'giraffe_errors_total',
      'Exchanges that failed, by code and by the transport on which they did; none before one was chosen.',
      wayNames.flatMap((transport) => byCode(ways[transport].codes, { transport })),
    ),
    counter(
      'giraffe_request_bytes_total',
      'Octets of bodies and relays from clients.',
      byWay((way) => way.requestBytes),
      'bytes',
    ),
    counter(
      'giraffe_response_bytes_total',
      'Octets of bodies and relays to clients.',
      byWay((way) => way.responseBytes),
      'bytes',
    ),
    {
      kind: 'histogram',
      name: 'giraffe_request_duration_seconds',
      help: 'Time from the head of a request to the end of its exchange. Relays are left out.',
      unit: 'seconds',
      bounds: requestDurationBounds,
      samples: wayNames.map((transport) => ({ labels: { transport }, ...ways[transport].durations.read() })),
    },
    counter('giraffe_upgrade_requests_total', 'Requests for another protocol that have ended.', [
      { labels: { protocol: 'websocket' }, value: upgrades.websocket },
      { labels: { protocol: 'other' }, value: upgrades.other },
    ]),
    counter(
      'giraffe_rejections_total',
      'Connections and requests refused before their endpoint was known.',
      byCode(rejected),
    ),
    counter(
      'giraffe_client_connections_given_up_total',
      'Connections that the edge closed because their client was silent, by code.',
      byCode(givenUp),
    ),
  ];
}

function agentMetrics(totals: EdgeTotals, now: EdgeNow): Metric[] {
  const { sessions, carriers, streams, windowBytes, endpoints, originsDown, openBreakers } = now;
  return [
    gauge('giraffe_sessions', 'Sessions of agents.', [{ labels: {}, value: sessions }]),
    counter('giraffe_sessions_opened_total', 'Sessions that agents opened.', [
      { labels: {}, value: totals.sessionsOpened },
    ]),
    counter('giraffe_session_reconnects_total', 'Sessions of agents that had one before.', [
      { labels: {}, value: totals.sessionsReopened },
    ]),
    counter(
      'giraffe_sessions_closed_total',
      'Sessions that ended, by reason: left when the agent left, and else a code.',
      [...totals.sessionsClosed].map(([reason, value]) => ({ labels: { reason }, value })),
    ),
    counter('giraffe_agent_refusals_total', 'Agents that were refused, by code.', byCode(totals.agentRefusals)),
    gauge('giraffe_carriers', 'Connections of agents that carry exchanges.', byTransport(carriers)),
    gauge('giraffe_streams', 'Exchanges and relays on these connections.', byTransport(streams)),
    gauge(
      'giraffe_window_bytes',
      'What agents may send, or have sent and clients have not taken.',
      byTransport(windowBytes),
      'bytes',
    ),
    gauge('giraffe_endpoints', 'Endpoints that an agent serves.', [{ labels: {}, value: endpoints }]),
    gauge('giraffe_origins_down', 'Origins that their agents cannot reach or whose health check fails.', [
      { labels: {}, value: originsDown },
    ]),
    gauge('giraffe_breakers_open', 'Endpoints whose circuit breaker is open or half open.', [
      { labels: {}, value: openBreakers },
    ]),
  ];
}

function processMetrics({ connections, memory }: EdgeNow): Metric[] {
  const { heap, external, resident } = memory;
  const samples = Object.entries({ heap, external, resident }).map(([kind, value]) => ({ labels: { kind }, value }));
  return [
    gauge('giraffe_client_connections', 'Connections of clients.', [{ labels: {}, value: connections }]),
    gauge('giraffe_memory_bytes', 'Memory of the process; resident contains the others.', samples, 'bytes'),
  ];
}

const wayNames: readonly Way[] = ['grpc', 'tcp', 'none'];

function byCode(counts: ReadonlyMap<ErrorCode, number>, labels: Labels = {}): Sample[] {
  return [...counts].map(([code, value]) => ({ labels: { ...labels, code }, value }));
}

function byTransport({ grpc, tcp }: EdgeNow['carriers']): Sample[] {
  return [
    { labels: { transport: 'grpc' }, value: grpc },
    { labels: { transport: 'tcp' }, value: tcp },
  ];
}

function counter(name: string, help: string, samples: readonly Sample[], unit: Unit = ''): CounterMetric {
  return { kind: 'counter', name, help, unit, samples };
}

function gauge(name: string, help: string, samples: readonly Sample[], unit: Unit = ''): GaugeMetric {
  return { kind: 'gauge', name, help, unit, samples };
}
