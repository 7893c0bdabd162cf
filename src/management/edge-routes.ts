/** Routes of the management API about the edge itself: health, drain, what happens live, and the API's own description. */
import { createRoute } from '@hono/zod-openapi';
import { type ApiApp, changeRefusals, forAdmin, json, refusals } from './api-route.ts';
import { draining, health } from './api-schemas.ts';
import { domainQuery } from './figure-routes.ts';
import { liveEvents } from './live-events.ts';
import type { ManagementPort } from './management-port.ts';

const healthRoute = (path: '/livez' | '/healthz') =>
  createRoute({
    method: 'get',
    path,
    summary: 'Whether the edge runs.',
    tags: ['health'],
    responses: { 200: json('It does.', health), ...refusals() },
  });

const readyRoute = createRoute({
  method: 'get',
  path: '/readyz',
  summary: 'Whether the edge takes new requests.',
  tags: ['health'],
  responses: { 200: json('It does.', health), 503: json('It drains.', health), ...refusals() },
});

const drainRoute = createRoute({
  ...forAdmin('edge'),
  method: 'post',
  path: '/api/v1/drain',
  summary: 'Drain the edge and end it, as SIGTERM does.',
  description: 'It takes nothing new, tells its agents, and finishes what is in flight up to its drain time-out.',
  responses: { 202: json('It drains.', draining), ...refusals(...changeRefusals) },
});

const eventsRoute = createRoute({
  ...forAdmin('edge'),
  method: 'get',
  path: '/api/v1/events',
  summary: 'What happens from now on, as server-sent events.',
  description:
    'Events: `session-opened`, `session-mode`, `session-withdrawn`, `session-closed`, `exchange` (one that ended), ' +
    '`breaker`, `draining`. Their data is JSON with `v`, `event`, `at` and fields of their own, as ' +
    'docs/reference/events.md lists them. A reader that is more than 1,000 events behind loses the newest ones and is ' +
    'told how many by an event `lost`.',
  request: { query: domainQuery },
  responses: {
    200: {
      description: 'Events, until either end closes.',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    },
    ...refusals(401),
  },
});

/** Adds the routes. */
export function addEdgeRoutes(app: ApiApp, edge: ManagementPort): void {
  for (const path of ['/livez', '/healthz'] as const) {
    app.openapi(healthRoute(path), (context) => context.json({ status: 'ok' } as const, 200));
  }
  app.openapi(readyRoute, (context) =>
    edge.isReady()
      ? context.json({ status: 'ok' } as const, 200)
      : context.json({ status: 'unavailable' } as const, 503),
  );
  app.openapi(drainRoute, (context) => context.json({ status: 'draining', deadlineMs: edge.drain() } as const, 202));
  app.openapi(eventsRoute, (context) => liveEvents(edge, context.req.valid('query').domain) as never);
}
