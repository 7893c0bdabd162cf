/** The agent's local API as a server, on loopback and nowhere else. */
import { type AgentRoutes, createAgentApp } from './agent-app.ts';
import type { AgentPort } from './agent-port.ts';
import { type HttpApp, type HttpServer, startHttpServer } from './http-server.ts';

const host = '127.0.0.1';
/** Ports above the usual one that are tried before any free one is taken; this many agents have a port one can guess. */
const nextPorts = 20;
/** Of these, the one that browsers and fetch() refuse to speak to, whatever answers there (WHATWG Fetch, "bad port"). */
const badPort = 4045;

/** Where the API answers. */
export interface AgentServerOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** Whether another port will do when this one is taken: the next ones, at last any. */
  readonly mayMove: boolean;
  /** What is served besides. */
  readonly routes?: readonly AgentRoutes[];
}

/**
 * Starts the API and resolves when it accepts connections.
 *
 * Rejects with Node's listen error, `code` and `port` set, when it cannot listen.
 */
export async function startAgentServer(
  agent: AgentPort,
  { port, mayMove, routes }: AgentServerOptions,
): Promise<HttpServer> {
  const app = createAgentApp(agent, routes);
  if (!mayMove) return startHttpServer(app, { host, port });
  for (let next = port; next < port + nextPorts; next += 1) {
    if (next === badPort) continue;
    const server = await startUnlessTaken(app, next);
    if (server !== undefined) return server;
  }
  return startHttpServer(app, { host, port: 0 });
}

async function startUnlessTaken(app: HttpApp, port: number): Promise<HttpServer | undefined> {
  try {
    return await startHttpServer(app, { host, port });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
