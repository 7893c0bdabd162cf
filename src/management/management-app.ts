/**
 * The routes of the management API, as a function from request to response.
 *
 * Health is open to everybody who can reach the port; the rest needs the admin token, metrics as well: they tell codes
 * of failures and the amount of traffic, and a proxy on the same machine makes every visitor look local. Without a metrics
 * exporter that renders, such as `prometheus`, there is no /metrics; with several, /metrics is the first one and
 * /metrics/NAME any.
 */
import type { Hono, MiddlewareHandler } from 'hono';
import { type ApiApp, adminScheme, forAdmin, newApiApp, refusals } from './api-route.ts';
import { boundedBodies } from './body-bound.ts';
import { addEdgeRoutes } from './edge-routes.ts';
import { addFigureRoutes } from './figure-routes.ts';
import { knownHostsOnly } from './host-check.ts';
import type { ManagementPort } from './management-port.ts';
import { ownPagesOnly } from './own-page-check.ts';
import { problemResponse } from './problem.ts';
import { addTokenRoutes } from './token-routes.ts';
import { addTunnelRoutes } from './tunnel-routes.ts';

/** Bodies are a few names. */
const maxBodyBytes = 64 * 1024;

/** Adds routes that need no token, such as pages. Host and origin of their requests have been checked. */
export type ManagementRoutes = (app: Hono) => void;

/**
 * Returns the API of an edge.
 *
 * @param names Host names besides loopback names and IP addresses under which the API answers.
 * @param routes What is served besides.
 */
export function createManagementApp(
  edge: ManagementPort,
  names: readonly string[],
  routes: readonly ManagementRoutes[] = [],
): ApiApp {
  const app = newApiApp((error) => edge.noteFault(error));
  app.use(knownHostsOnly(names));
  app.use(ownPagesOnly);
  const needsToken: MiddlewareHandler = async (context, next) => {
    const token = bearerToken(context.req.header('authorization'));
    if (token === undefined || !edge.authenticateAdmin(token)) return problemResponse('GIR_ERR_API_TOKEN');
    await next();
    return undefined;
  };
  for (const paths of ['/api/*', '/metrics', '/metrics/*']) app.use(paths, needsToken);
  app.use('/api/*', boundedBodies(maxBodyBytes));
  addFigureRoutes(app, edge);
  addTunnelRoutes(app, edge);
  addTokenRoutes(app, edge);
  addEdgeRoutes(app, edge);
  app.openAPIRegistry.registerComponent('securitySchemes', adminScheme, {
    type: 'http',
    scheme: 'bearer',
    description: 'The content of the file admin-token in the state folder of the edge.',
  });
  app.openAPIRegistry.registerPath({
    ...forAdmin('edge'),
    method: 'get',
    path: '/api/v1/openapi.json',
    summary: 'This description.',
    responses: {
      200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
      ...refusals(401),
    },
  });
  let document: object | undefined;
  app.get('/api/v1/openapi.json', (context) => {
    document ??= openApiDocument(app);
    return context.json(document);
  });
  for (const add of routes) add(app);
  return app;
}

/** Returns the description of an API in OpenAPI 3.1. */
export function openApiDocument(app: ApiApp) {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'giraffe management API',
      version: '1',
      description:
        'Answers on the API port of an edge, on loopback unless told otherwise. Errors are problem details (RFC 9457). ' +
        'Bodies of requests have a Content-Length of at most 64 KiB. ' +
        'Within v1 fields are added, never taken away or changed in meaning.',
    },
  });
}

/** Returns the credentials of an Authorization field of the scheme Bearer (RFC 6750 section 2.1). */
function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(authorization ?? '')?.[1];
}
