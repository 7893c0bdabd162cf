/** Routes of the management API about endpoints and the agents that serve them. */
import { createRoute, z } from '@hono/zod-openapi';
import { type ApiApp, changeRefusals, forAdmin, json, refusals } from './api-route.ts';
import { disconnected, tunnel, tunnels } from './api-schemas.ts';
import { plainFigures } from './figure-routes.ts';
import type { ManagementPort, TunnelFigures } from './management-port.ts';
import { problemResponse } from './problem.ts';

const domainPath = z.object({ domain: z.string().toLowerCase().openapi({ example: 'app.example.com' }) });

const listRoute = createRoute({
  ...forAdmin('tunnels'),
  method: 'get',
  path: '/api/v1/tunnels',
  summary: 'Every endpoint that is served or had a request, with its agents and figures.',
  responses: { 200: json('The endpoints.', tunnels), ...refusals(401) },
});

const oneRoute = createRoute({
  ...forAdmin('tunnels'),
  method: 'get',
  path: '/api/v1/tunnels/{domain}',
  summary: 'One endpoint with its agents and figures.',
  request: { params: domainPath },
  responses: { 200: json('The endpoint.', tunnel), ...refusals(401, 404) },
});

const disconnectRoute = createRoute({
  ...forAdmin('tunnels'),
  method: 'delete',
  path: '/api/v1/tunnels/{domain}',
  summary: 'Disconnect an endpoint.',
  description:
    'No agent gets requests for it any more; those in flight may finish. Each agent says who ended it, does not serve it ' +
    'again by itself, one that is away or just connecting included, and goes on with its other endpoints. Without others the agent ends at once, and so, with all of ' +
    'them, does one of an older release (`canWithdraw` is false). Whoever starts the agent again, or another one for ' +
    'this endpoint alone, opens the tunnel again; ' +
    'revoking its token keeps it away.',
  request: { params: domainPath },
  responses: { 200: json('How many there were.', disconnected), ...refusals(...changeRefusals, 404) },
});

/** Adds the routes. */
export function addTunnelRoutes(app: ApiApp, edge: ManagementPort): void {
  app.openapi(listRoute, (context) => context.json({ tunnels: edge.stats().map((one) => tunnelOf(edge, one)) }, 200));
  app.openapi(oneRoute, (context) => {
    const { domain } = context.req.valid('param');
    const found = edge.stats().find((one) => one.domain === domain);
    return found === undefined ? unknown(domain) : context.json(tunnelOf(edge, found), 200);
  });
  app.openapi(disconnectRoute, (context) => {
    const { domain } = context.req.valid('param');
    if (!edge.stats().some((one) => one.domain === domain)) return unknown(domain);
    return context.json({ disconnected: edge.disconnect(domain) }, 200);
  });
}

function tunnelOf(edge: ManagementPort, figures: TunnelFigures) {
  const agents = edge.sessions().filter(({ domains }) => domains.includes(figures.domain));
  return {
    ...plainFigures(figures),
    agents: agents.map(({ domains, labels, peers, openedAt, ...rest }) => ({
      ...rest,
      domains: [...domains],
      labels: [...labels],
      peers: [...peers],
      openedAt: openedAt.toISOString(),
    })),
  };
}

/** Problems have a type of their own, which the route's type does not know. */
function unknown(domain: string): never {
  return problemResponse('GIR_ERR_ENDPOINT_UNKNOWN', `no endpoint is called ${domain}`) as never;
}
