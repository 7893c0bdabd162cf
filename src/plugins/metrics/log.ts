/**
 * Writes figures as lines of the log, for people and for scripts that read them by their form.
 *
 * What the words mean, on the edge: Total counts requests that began. gRPC and TCP count exchanges that ended on that
 * transport, and Total those that are in flight or reached no agent as well. Errors of the first line are all failures.
 * Active Streams are the gRPC calls that agents hold open, one per session; Concurrent counts exchanges on them now, and
 * Total Requests is Responses and Errors together.
 *
 * Memory is V8's heap and the buffers outside of it. Per-Conn is what it grew since the exporter was made, divided by
 * the connections of clients that are open, and Projected-N is N times that.
 */
import * as z from 'zod';
import type { Logger, MetricsSnapshot } from '../../extension/index.ts';
import { labelValues, sumOf } from './figures-of.ts';
import { definePushExporter, type Export, intervalOption } from './push-exporter.ts';

/** Returns the lines of a snapshot. @param baselineBytes Memory before there was any connection. */
export function logLines(snapshot: MetricsSnapshot, baselineBytes: number): string[] {
  if (snapshot.role === 'agent') return agentLines(snapshot);
  return [hybridLine(snapshot), grpcLine(snapshot), memoryLine(snapshot, baselineBytes)];
}

function hybridLine(snapshot: MetricsSnapshot): string {
  const total = sumOf(snapshot, 'giraffe_requests_total');
  const share = (transport: string): string => {
    const { responses, errors } = endedOn(snapshot, transport);
    const count = responses + errors;
    return `${count} (${(total === 0 ? 0 : (count / total) * 100).toFixed(1)}%)`;
  };
  const webSockets = sumOf(snapshot, 'giraffe_upgrade_requests_total', { protocol: 'websocket' });
  const errors = sumOf(snapshot, 'giraffe_errors_total');
  return `[HYBRID METRICS] Total: ${total}, gRPC: ${share('grpc')}, TCP: ${share('tcp')}, WebSocket: ${webSockets}, Errors: ${errors}`;
}

function grpcLine(snapshot: MetricsSnapshot): string {
  const { responses, errors } = endedOn(snapshot, 'grpc');
  const calls = sumOf(snapshot, 'giraffe_carriers', { transport: 'grpc' });
  const concurrent = sumOf(snapshot, 'giraffe_streams', { transport: 'grpc' });
  return `[gRPC METRICS] Active Streams: ${calls}, Total Requests: ${responses + errors}, Concurrent: ${concurrent}, Responses: ${responses}, Errors: ${errors}`;
}

function endedOn(snapshot: MetricsSnapshot, transport: string): { responses: number; errors: number } {
  return {
    responses: sumOf(snapshot, 'giraffe_responses_total', { transport }),
    errors: sumOf(snapshot, 'giraffe_errors_total', { transport }),
  };
}

function memoryLine(snapshot: MetricsSnapshot, baselineBytes: number): string {
  const memory = (kind: string): number => sumOf(snapshot, 'giraffe_memory_bytes', { kind });
  const total = memory('heap') + memory('external');
  const connections = sumOf(snapshot, 'giraffe_client_connections');
  const each = connections === 0 ? 0 : Math.max(0, total - baselineBytes) / connections;
  return `[MEMORY] Total: ${megabytes(total)}, Per-Conn: ~${megabytes(each)}, Projected-50: ${megabytes(each * 50)}, Projected-100: ${megabytes(each * 100)}`;
}

function agentLines(snapshot: MetricsSnapshot): string[] {
  return labelValues(snapshot, 'giraffe_agent_requests_total', 'endpoint').map((endpoint) => {
    const count = (name: string): number => sumOf(snapshot, `giraffe_agent_${name}_total`, { endpoint });
    return `[gRPC CLIENT] Domain: ${endpoint}, Requests: ${count('requests')}, Responses: ${count('responses')}, Errors: ${count('errors')}, Reconnects: ${count('reconnects')}`;
  });
}

function megabytes(bytes: number): string {
  return `${(bytes / (1024 * 1024)).toFixed(1)}MB`;
}

/**
 * Returns what writes. Each line is the whole message of one log entry: at level info on an edge, and on an agent, whose
 * log leaves that out unless told otherwise, at warn.
 */
export function logExport({
  logger,
  baselineBytes,
}: {
  readonly logger: Logger;
  readonly baselineBytes: number;
}): Export {
  return async (snapshot) => {
    const level = snapshot.role === 'edge' ? 'info' : 'warn';
    for (const line of logLines(snapshot, baselineBytes)) logger[level]({}, line);
  };
}

/** The exporter as an extension. */
export const log = definePushExporter({
  name: 'log',
  summary: 'Lines in the log: requests by transport, gRPC, memory; on agents one per endpoint.',
  options: z.strictObject({ interval: intervalOption('1m') }),
  start: (_options, { logger }) => {
    const { heapUsed, external } = process.memoryUsage();
    return logExport({ logger, baselineBytes: heapUsed + external });
  },
});
