/**
 * What a reload of an agent changes: tunnels, the way to the edge, and credentials, by another agent that takes over.
 * Exchanges in flight end where they began.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AgentEvent } from '../agent/agent-options.ts';
import { type AgentSettings, agentSettings } from '../config/agent-settings.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type AgentSurroundings, agentOptionsOf, type NamedAgentOptions } from './agent-options-of.ts';
import type { ProcessLog } from './create-logger.ts';
import { type AgentConfig, type ProgramInput, readAgentConfig } from './program-config.ts';
import type { ReloadPart } from './reload-part.ts';
import type { Reload, ReloadOutcome } from './reloader.ts';
import type { ReplaceableAgent } from './replaceable-agent.ts';
import { settingChanges } from './setting-changes.ts';

/** What a reload works on. */
export interface AgentReloadOptions {
  readonly input: ProgramInput;
  /** The configuration in force. */
  readonly config: AgentConfig;
  /** What the agent was started with. */
  readonly started: NamedAgentOptions;
  readonly surroundings: AgentSurroundings;
  readonly agent: Pick<ReplaceableAgent, 'replace'>;
  readonly log: ProcessLog;
  /** What the section `metrics` picks. */
  readonly metrics: ReloadPart;
  /** Told of the options in force after a change. */
  onChanged(options: NamedAgentOptions): void;
}

/** Reloads one agent. */
export class AgentReload implements Reload<AgentConfig> {
  readonly #options: AgentReloadOptions;
  #config: AgentConfig;
  #inForce: NamedAgentOptions;
  readonly #chosenNames = new Map<string | undefined, string>();

  constructor(options: AgentReloadOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#inForce = options.started;
  }

  get logger(): Logger {
    return this.#options.log.logger;
  }

  /** The settings in force. */
  get settings(): AgentSettings {
    return this.#config.settings;
  }

  /** What the agent runs with. */
  get inForce(): NamedAgentOptions {
    return this.#inForce;
  }

  /** Remembers the names that the edge chose, so that they are asked for again. */
  note({ tunnels }: Extract<AgentEvent, { type: 'ready' }>): void {
    for (const [index, { domain }] of tunnels.entries()) this.#chosenNames.set(this.#inForce.names[index], domain);
  }

  read(): Promise<AgentConfig> {
    return readAgentConfig(this.#options.input);
  }

  async use(wanted: AgentConfig): Promise<ReloadOutcome> {
    const { agent, log, metrics, surroundings, onChanged } = this.#options;
    const { live, restart, values } = settingChanges(agentSettings, this.settings, wanted.settings);
    const next = await agentOptionsOf(wanted, surroundings, this.#chosenNames);
    const exporters = await metrics.prepare(wanted);
    const former = this.#inForce;
    if (!isDeepStrictEqual(comparable(next), comparable(former))) {
      this.#inForce = next;
      try {
        await agent.replace(next.options);
      } catch (error) {
        this.#inForce = former;
        await exporters?.discard?.();
        throw error;
      }
      onChanged(next);
    }
    exporters?.apply();
    log.reopen();
    log.setLevel(values.logLevel);
    const hasTunnels = isDeepStrictEqual(tunnelsOf(next), tunnelsOf(former));
    this.#config = { file: wanted.file, settings: values };
    const sections = [...(hasTunnels ? [] : ['tunnels']), ...(exporters === undefined ? [] : ['metrics'])];
    return { changed: [...live, ...sections], needsRestart: restart };
  }
}

/** What makes another agent necessary. */
function comparable(named: NamedAgentOptions): object {
  const { logger: _, figures: __, tunnels: ___, ...rest } = named.options;
  return { ...rest, tunnels: tunnelsOf(named) };
}

function tunnelsOf({ options }: NamedAgentOptions): object[] {
  return options.tunnels.map(({ formerName: _, ...tunnel }) => tunnel);
}
