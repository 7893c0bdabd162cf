/** Serves the text of metrics exporters: /metrics is that of the first one, /metrics/NAME that of any. */
import type { Context } from 'hono';
import { problemResponse } from './problem.ts';

/** A metrics exporter that answers GET requests. */
export interface PullExporter {
  readonly name: string;
  readonly contentType: string;
  /** Returns the figures of now. A throw has been logged. */
  render(): string;
}

/** Paths of metrics. */
export const metricsPaths = ['/metrics', '/metrics/:exporter'] as const;

/** Answers a request for one of {@link metricsPaths}; 404 without an exporter of the name. */
export function metricsResponse(exporters: readonly PullExporter[], context: Context): Response {
  const name = context.req.param('exporter');
  const exporter = exporters.find((one) => name === undefined || one.name === name);
  if (exporter === undefined) return problemResponse('GIR_ERR_API_PATH');
  return context.body(exporter.render(), 200, { 'Content-Type': exporter.contentType });
}
