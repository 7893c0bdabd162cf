/** Starts the agent's local API where the settings want it. */
import { agentSettings } from '../config/agent-settings.ts';
import { findSetting } from '../config/setting.ts';
import type { AgentPort } from '../management/agent-port.ts';
import { startAgentServer } from '../management/agent-server.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Lifetimes } from './lifetimes.ts';
import { listenFailure } from './listen-failure.ts';
import { type AgentConfig, type ProgramInput, sourcesOf } from './program-config.ts';

/** What the API is started with. */
export interface InspectorContext {
  readonly input: ProgramInput;
  readonly config: AgentConfig;
  readonly agent: AgentPort;
  readonly logger: Logger;
}

/**
 * Starts the API and returns its URL; undefined when it is not wanted, or when nobody asked for a port and none can be had.
 *
 * @throws {GiraffeError} GIR_ERR_LISTEN when a port that was asked for cannot be listened on.
 */
export async function startInspector(
  { input, config, agent, logger }: InspectorContext,
  lifetimes: Lifetimes,
): Promise<string | undefined> {
  const { inspectPort: port, noInspect } = config.settings;
  if (noInspect) return undefined;
  const { source } = findSetting(agentSettings.inspectPort, sourcesOf(input, config.file));
  const mayMove = source === 'default';
  try {
    const server = lifetimes.use(await startAgentServer(agent, { port, mayMove }));
    return `http://127.0.0.1:${server.port}`;
  } catch (error) {
    const failure = listenFailure(error, { inspectPort: port });
    if (!mayMove) throw failure;
    logger.warn({ detail: failure instanceof Error ? failure.message : String(failure) }, 'no request inspector');
    return undefined;
  }
}
