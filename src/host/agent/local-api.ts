/** Starts the agent's local API: its figures always, and the request inspector unless it is off. */
import { type AgentSettings, agentSettings } from '../../config/agent-settings.ts';
import { findSetting } from '../../config/setting.ts';
import { Inspector } from '../../inspector/inspector.ts';
import type { AgentRoutes } from '../../management/agent-app.ts';
import type { AgentPort } from '../../management/agent-port.ts';
import { startAgentServer } from '../../management/agent-server.ts';
import { createInspectorRoutes } from '../../management/inspector-routes.ts';
import { problemResponse } from '../../management/problem.ts';
import { softwareVersion } from '../../telemetry/software.ts';
import type { Lifetimes } from '../lifecycle/lifetimes.ts';
import { listenFailure } from '../network/listen-failure.ts';
import { type AgentConfig, type ProgramInput, sourcesOf } from '../settings/program-config.ts';
import type { AgentSurroundings } from './agent-options-of.ts';

/** What the API is started with. */
export interface LocalApiContext {
  readonly input: ProgramInput;
  readonly config: AgentConfig;
  readonly surroundings: AgentSurroundings;
  readonly agent: AgentPort;
}

/** Where others on this machine find what they may know of an agent. */
export interface LocalApiUrls {
  /** Its figures; undefined when no port could be had. */
  readonly apiUrl: string | undefined;
  /** The same while the request inspector is on. */
  readonly inspectUrl: string | undefined;
}

/** Returns what records exchanges. */
export function createInspector({ inspectRequests, inspectMemory, inspectBody }: AgentSettings): Inspector {
  return new Inspector({ maxExchanges: inspectRequests, maxBytes: inspectMemory, maxBodyBytes: inspectBody });
}

/**
 * Starts the API. A port that nobody asked for and that cannot be had is done without.
 *
 * @throws {GiraffeError} GIR_ERR_LISTEN when a port that was asked for cannot be listened on.
 */
export async function startLocalApi(
  { input, config, surroundings, agent }: LocalApiContext,
  lifetimes: Lifetimes,
): Promise<LocalApiUrls> {
  const { inspector, logger } = surroundings;
  const { inspectPort: port } = config.settings;
  const { source } = findSetting(agentSettings.inspectPort, sourcesOf(input, config.file));
  const mayMove = source === 'default';
  const routes = [inspector === undefined ? inspectorIsOff : createInspectorRoutes(inspector, softwareVersion)];
  try {
    const server = lifetimes.use(await startAgentServer(agent, { port, mayMove, routes }));
    const apiUrl = `http://127.0.0.1:${server.port}`;
    return { apiUrl, inspectUrl: inspector && apiUrl };
  } catch (error) {
    const failure = listenFailure(error, { inspectPort: port });
    if (!mayMove) throw failure;
    logger.warn({ detail: failure instanceof Error ? failure.message : String(failure) }, 'no local API');
    return { apiUrl: undefined, inspectUrl: undefined };
  }
}

const inspectorIsOff: AgentRoutes = (app) => {
  for (const path of ['/', '/api/v1/requests', '/api/requests/http']) {
    app.get(path, () =>
      problemResponse('GIR_ERR_API_PATH', 'the request inspector is off (--no-inspect); figures: /api/v1/stats'),
    );
  }
};
