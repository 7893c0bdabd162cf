/** A tunnel whose agent records what passes, and the page on it. */

import type { StoreLimits } from '../../src/inspector/exchange-store.ts';
import { Inspector } from '../../src/inspector/inspector.ts';
import { startAgentServer } from '../../src/management/agent-server.ts';
import { createInspectorRoutes } from '../../src/management/inspector-routes.ts';
import { agentView } from './agent-view.ts';
import type { Origin } from './origins.ts';
import { storeLimits } from './store-limits.ts';
import { startTunnelWorld, type TunnelWorld, testHost } from './tunnel-world.ts';

/** What a test of the inspector needs. */
export interface InspectedWorld extends TunnelWorld {
  readonly inspector: Inspector;
  /** Where the page is, with a slash at its end. */
  readonly url: string;
  readonly inspectPort: number;
}

/** Starts edge, agent and inspector in front of an origin. */
export async function startInspectedWorld(
  origin: Pick<Origin, 'target'>,
  limits: Partial<StoreLimits> = {},
): Promise<InspectedWorld> {
  const inspector = new Inspector({ ...storeLimits, ...limits });
  const world = await startTunnelWorld(origin, { agent: { inspector } });
  const url = `http://${testHost}:${world.port}`;
  const view = agentView([{ name: undefined, domain: testHost, url, target: `http://${origin.target}` }]);
  const routes = [createInspectorRoutes(inspector, '1.2.3')];
  const server = await startAgentServer(view, { port: 0, mayMove: false, routes });
  return {
    ...world,
    inspector,
    url: `http://127.0.0.1:${server.port}/`,
    inspectPort: server.port,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}
