/**
 * The routes of the management API, as a function from request to response.
 *
 * Health is open to everybody who can reach the port; the rest needs the admin token, metrics as well: they tell codes
 * of failures and the amount of traffic, and a proxy on the same machine makes every visitor look local. Without a metrics
 * exporter that renders, such as `prometheus`, there is no /metrics; with several, /metrics is the first one and
 * /metrics/NAME any.
 */
import { Hono, type MiddlewareHandler } from 'hono';
import { createHostCheck } from './host-check.ts';
import type { ManagementPort } from './management-port.ts';
import { metricsPaths, metricsResponse } from './metrics-routes.ts';
import { problemResponse } from './problem.ts';

/**
 * Returns the API of an edge.
 *
 * @param names Host names besides loopback names and IP addresses under which the API answers.
 */
export function createManagementApp(edge: ManagementPort, names: readonly string[]): Hono {
  const isAllowedHost = createHostCheck(names);
  const app = new Hono();
  app.use(async (context, next) => {
    if (!isAllowedHost(context.req.header('host'))) return problemResponse('GIR_ERR_API_HOST');
    await next();
    context.header('Cache-Control', 'no-store');
    return undefined;
  });
  const needsToken: MiddlewareHandler = async (context, next) => {
    const token = bearerToken(context.req.header('authorization'));
    if (token === undefined || !edge.authenticateAdmin(token)) return problemResponse('GIR_ERR_API_TOKEN');
    await next();
    return undefined;
  };
  for (const paths of ['/api/*', '/metrics', '/metrics/*']) app.use(paths, needsToken);
  for (const path of ['/livez', '/healthz']) app.get(path, (context) => context.json({ status: 'ok' }));
  app.get('/readyz', (context) => {
    return edge.isReady() ? context.json({ status: 'ok' }) : context.json({ status: 'unavailable' }, 503);
  });
  app.get('/api/v1/stats', (context) => {
    const domain = context.req.query('domain')?.toLowerCase();
    const tunnels = edge.stats().filter((tunnel) => domain === undefined || tunnel.domain === domain);
    return context.json({ tunnels });
  });
  for (const path of metricsPaths) app.get(path, (context) => metricsResponse(edge.pullExporters(), context));
  app.notFound(() => problemResponse('GIR_ERR_API_PATH'));
  app.onError(() => problemResponse('GIR_ERR_INTERNAL'));
  return app;
}

/** Returns the credentials of an Authorization field of the scheme Bearer (RFC 6750 section 2.1). */
function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(authorization ?? '')?.[1];
}
