/**
 * The agent's local API, as a function from request to response.
 *
 * It is for programs and people on the agent's machine, so it asks for no token; that it listens on loopback only, checks
 * Host against DNS rebinding, sends no CORS fields and refuses changes from pages of others keeps the rest of the world
 * out. Other parts, such as the inspector's pages, add their routes to the same application.
 *
 * `/api/tunnels` has the form that scripts for other tunnels read.
 */
import { type Context, Hono } from 'hono';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { AgentPort, LocalTunnel } from './agent-port.ts';
import { boundedBodies } from './body-bound.ts';
import { knownHostsOnly } from './host-check.ts';
import { metricsPaths, metricsResponse } from './metrics-routes.ts';
import { ownPagesOnly } from './own-page-check.ts';
import { problemResponse } from './problem.ts';

/** Room for a replay whose body is the largest that the inspector ever keeps, 16 MiB, in base64, and for its fields. */
const maxBodyBytes = 24 * 1024 * 1024;

/** Adds routes to the application of an agent. Host and origin of their requests have been checked. */
export type AgentRoutes = (app: Hono) => void;

/** Returns the local API of an agent. */
export function createAgentApp(agent: AgentPort, routes: readonly AgentRoutes[] = []): Hono {
  const app = new Hono();
  app.use(knownHostsOnly([]));
  app.use(ownPagesOnly);
  app.use(boundedBodies(maxBodyBytes));
  for (const path of ['/livez', '/healthz']) app.get(path, (context) => context.json({ status: 'ok' }));
  app.get('/readyz', (context) => {
    return agent.isReady() ? context.json({ status: 'ok' }) : context.json({ status: 'unavailable' }, 503);
  });
  app.get('/api/tunnels', (context) => {
    return context.json({ tunnels: agent.tunnels().map((tunnel) => tunnelBody(agent, tunnel)), uri: '/api/tunnels' });
  });
  app.get('/api/tunnels/:name', (context) => oneTunnel(agent, context));
  app.get('/api/v1/stats', (context) => context.json(statsBody(agent, context.req.query('domain')?.toLowerCase())));
  for (const path of metricsPaths) app.get(path, (context) => metricsResponse(agent.pullExporters(), context));
  for (const add of routes) add(app);
  app.notFound(() => problemResponse('GIR_ERR_API_PATH'));
  app.onError((error) => {
    const { code, message } = GiraffeError.from(error);
    if (code !== 'GIR_ERR_INTERNAL') return problemResponse(code, message);
    agent.noteFault(error);
    return problemResponse(code);
  });
  return app;
}

function oneTunnel(agent: AgentPort, context: Context): Response {
  const wanted = context.req.param('name');
  const tunnel = agent.tunnels().find((one) => nameOf(one) === wanted);
  return tunnel === undefined ? problemResponse('GIR_ERR_API_PATH') : context.json(tunnelBody(agent, tunnel));
}

/** Figures of the agent, with what each tunnel leads to. */
function statsBody(agent: AgentPort, wanted: string | undefined): object {
  const { tunnels, ...rest } = agent.stats();
  const open = agent.tunnels();
  const chosen = tunnels.filter(({ domain }) => wanted === undefined || domain === wanted);
  return {
    v: 1,
    role: 'agent',
    ...rest,
    tunnels: chosen.map((figures) => ({ ...open.find(({ domain }) => domain === figures.domain), ...figures })),
  };
}

function tunnelBody(agent: AgentPort, tunnel: LocalTunnel): object {
  const name = nameOf(tunnel);
  const figures = agent.stats().tunnels.find(({ domain }) => domain === tunnel.domain);
  return {
    name,
    uri: `/api/tunnels/${encodeURIComponent(name)}`,
    public_url: tunnel.url,
    proto: tunnel.url.split(':')[0],
    config: { addr: tunnel.target },
    metrics: { http: { count: figures?.requests ?? 0, gauge: figures?.inFlight ?? 0 } },
  };
}

function nameOf({ name, domain }: LocalTunnel): string {
  return name ?? domain;
}
