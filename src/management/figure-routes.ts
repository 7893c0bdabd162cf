/** Routes of the management API that tell figures. */
import { createRoute, z } from '@hono/zod-openapi';
import { type ApiApp, forAdmin, json, refusals } from './api-route.ts';
import { metrics, stats } from './api-schemas.ts';
import type { ManagementPort, TunnelFigures } from './management-port.ts';
import { metricsPaths, metricsResponse } from './metrics-routes.ts';

/** A domain in a query; hosts are kept in lower case. */
export const domainQuery = z.object({
  domain: z
    .string()
    .toLowerCase()
    .optional()
    .openapi({ description: 'Only this endpoint.', example: 'app.example.com' }),
});

const statsRoute = createRoute({
  ...forAdmin('figures'),
  method: 'get',
  path: '/api/v1/stats',
  summary: 'Figures of the edge and of every endpoint that is served or had a request.',
  request: { query: domainQuery },
  responses: { 200: json('The figures.', stats), ...refusals(401) },
});

const metricsRoute = createRoute({
  ...forAdmin('figures'),
  method: 'get',
  path: '/api/v1/metrics',
  summary: 'All figures as metrics exporters get them.',
  description:
    'With `Accept: text/plain` or `application/openmetrics-text`, as the text of the exporter that renders, such as ' +
    '`prometheus`; the same as `GET /metrics`.',
  responses: { 200: json('The figures.', metrics), ...refusals(401, 404) },
});

/** The text of exporters may be of any type, which the types of routes do not know. */
const textOf = (path: '/metrics' | '/metrics/{exporter}', summary: string) => ({
  ...forAdmin('figures'),
  method: 'get' as const,
  path,
  summary,
  responses: {
    200: { description: 'The text.', content: { 'text/plain': { schema: { type: 'string' as const } } } },
    ...refusals(401, 404),
  },
});

/** Adds the routes. */
export function addFigureRoutes(app: ApiApp, edge: ManagementPort): void {
  app.openapi(statsRoute, (context) => {
    const { domain } = context.req.valid('query');
    const { startedAt, takenAt, totals, now } = edge.overview();
    const tunnels = edge.stats().filter((tunnel) => domain === undefined || tunnel.domain === domain);
    const moment = { startedAt: startedAt.toISOString(), takenAt: takenAt.toISOString() };
    return context.json(
      { v: 1, role: 'edge', ...moment, totals, now, tunnels: tunnels.map(plainFigures) } as const,
      200,
    );
  });
  app.openapi(metricsRoute, (context) => {
    if (wantsText(context.req.header('accept'))) return metricsResponse(edge.pullExporters(), context) as never;
    const { startedAt, takenAt, ...rest } = edge.snapshot();
    return context.json(
      { ...rest, startedAt: startedAt.toISOString(), takenAt: takenAt.toISOString() } as z.input<typeof metrics>,
      200,
    );
  });
  app.openAPIRegistry.registerPath(
    textOf('/metrics', 'All figures as text of the first metrics exporter that renders.'),
  );
  app.openAPIRegistry.registerPath({
    ...textOf('/metrics/{exporter}', 'All figures as text of a metrics exporter.'),
    request: { params: z.object({ exporter: z.string().openapi({ example: 'prometheus' }) }) },
  });
  for (const path of metricsPaths) app.get(path, (context) => metricsResponse(edge.pullExporters(), context));
}

/** Figures of an endpoint with lists that are nobody else's. */
export function plainFigures({ codes, ...figures }: TunnelFigures) {
  return { ...figures, codes: { ...codes } };
}

/** Whether a scraper asks. */
function wantsText(accept = ''): boolean {
  const wanted = accept.toLowerCase();
  return /text\/plain|application\/openmetrics-text/.test(wanted) && !wanted.includes('application/json');
}
