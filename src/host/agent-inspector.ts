/** Records what passes an agent, and starts its local API where the settings want it. */
import { type AgentSettings, agentSettings } from '../config/agent-settings.ts';
import { findSetting } from '../config/setting.ts';
import { Inspector } from '../inspector/inspector.ts';
import type { AgentPort } from '../management/agent-port.ts';
import { startAgentServer } from '../management/agent-server.ts';
import { createInspectorRoutes } from '../management/inspector-routes.ts';
import { softwareVersion } from '../telemetry/software.ts';
import type { AgentSurroundings } from './agent-options-of.ts';
import type { Lifetimes } from './lifetimes.ts';
import { listenFailure } from './listen-failure.ts';
import { type AgentConfig, type ProgramInput, sourcesOf } from './program-config.ts';

/** What the API is started with. */
export interface InspectorContext {
  readonly input: ProgramInput;
  readonly config: AgentConfig;
  readonly surroundings: AgentSurroundings;
  readonly agent: AgentPort;
}

/** Returns what records exchanges. */
export function createInspector({ inspectRequests, inspectMemory, inspectBody }: AgentSettings): Inspector {
  return new Inspector({ maxExchanges: inspectRequests, maxBytes: inspectMemory, maxBodyBytes: inspectBody });
}

/**
 * Starts the API and returns its URL; undefined when it is not wanted, or when nobody asked for a port and none can be had.
 *
 * @throws {GiraffeError} GIR_ERR_LISTEN when a port that was asked for cannot be listened on.
 */
export async function startInspector(
  { input, config, surroundings, agent }: InspectorContext,
  lifetimes: Lifetimes,
): Promise<string | undefined> {
  const { inspector, logger } = surroundings;
  if (inspector === undefined) return undefined;
  const { inspectPort: port } = config.settings;
  const { source } = findSetting(agentSettings.inspectPort, sourcesOf(input, config.file));
  const mayMove = source === 'default';
  const routes = [createInspectorRoutes(inspector, softwareVersion)];
  try {
    const server = lifetimes.use(await startAgentServer(agent, { port, mayMove, routes }));
    return `http://127.0.0.1:${server.port}`;
  } catch (error) {
    const failure = listenFailure(error, { inspectPort: port });
    if (!mayMove) throw failure;
    logger.warn({ detail: failure instanceof Error ? failure.message : String(failure) }, 'no request inspector');
    return undefined;
  }
}
