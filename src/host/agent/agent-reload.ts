/**
 * What a reload of an agent changes: tunnels, the way to the edge, and credentials, by another agent that takes over.
 * Exchanges in flight end where they began.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AgentEvent, AgentOptions, AgentTunnel } from '../../agent/agent-options.ts';
import { type AgentSettings, agentSettings } from '../../config/agent-settings.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ReloadPart } from '../lifecycle/reload-part.ts';
import type { Reload, ReloadOutcome } from '../lifecycle/reloader.ts';
import type { ProcessLog } from '../logging/create-logger.ts';
import { type AgentConfig, type ProgramInput, readAgentConfig } from '../settings/program-config.ts';
import { settingChanges } from '../settings/setting-changes.ts';
import { type AgentSurroundings, agentOptionsOf } from './agent-options-of.ts';
import type { ReplaceableAgent } from './replaceable-agent.ts';

/** What a reload works on. */
export interface AgentReloadOptions {
  readonly input: ProgramInput;
  /** The configuration in force. */
  readonly config: AgentConfig;
  /** What the agent was started with. */
  readonly started: AgentOptions;
  readonly surroundings: AgentSurroundings;
  readonly agent: Pick<ReplaceableAgent, 'replace'>;
  readonly log: ProcessLog;
  /** What the section `metrics` picks. */
  readonly metrics: ReloadPart;
  /** Told of the options in force after a change. */
  onChanged(options: AgentOptions): void;
}

/** Reloads one agent. */
export class AgentReload implements Reload<AgentConfig> {
  readonly #options: AgentReloadOptions;
  #config: AgentConfig;
  #inForce: AgentOptions;
  readonly #chosenNames = new Map<string | undefined, string>();
  /** Endpoints that the edge has taken for good. */
  readonly #withdrawn = new Set<string>();

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
  get inForce(): AgentOptions {
    return this.#inForce;
  }

  /** Remembers the names that the edge chose, so that they are asked for again, and those that it took, so that they are not. */
  note(event: AgentEvent): void {
    if (event.type === 'ready') for (const { name, domain } of event.tunnels) this.#chosenNames.set(name, domain);
    if (event.type !== 'withdrawn') return;
    this.#chosenNames.set(event.name, event.domain);
    this.#withdrawn.add(event.domain);
    this.#inForce = this.#left(this.#inForce) ?? this.#inForce;
  }

  read(): Promise<AgentConfig> {
    return readAgentConfig(this.#options.input);
  }

  async use(wanted: AgentConfig): Promise<ReloadOutcome> {
    const { agent, log, metrics, surroundings, onChanged } = this.#options;
    const { live, restart, values } = settingChanges(agentSettings, this.settings, wanted.settings);
    const asked = await agentOptionsOf(wanted, surroundings, this.#chosenNames);
    const next = this.#permitted(asked);
    const closed = asked.tunnels.filter((tunnel) => this.#isWithdrawn(tunnel)).map(({ name }) => name);
    if (closed.length > 0) {
      const message =
        'not opened again: the operator of the edge has disconnected them; `giraffe tunnel NAME` opens one of them';
      log.logger.warn({ tunnels: closed }, message);
    }
    const exporters = await metrics.prepare(wanted);
    const former = this.#inForce;
    if (!isDeepStrictEqual(comparable(next), comparable(former))) {
      this.#inForce = next;
      try {
        await agent.replace(next);
      } catch (error) {
        this.#inForce = this.#left(former) ?? former;
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

  /** Leaves out what the edge has taken: whoever wants it back starts the agent again. */
  #permitted(options: AgentOptions): AgentOptions {
    const left = this.#left(options);
    if (left !== undefined) return left;
    const detail =
      'the operator of the edge has disconnected all tunnels of the file; start the agent again to open them';
    throw new GiraffeError('GIR_ERR_CONFIG', detail);
  }

  /** Returns undefined when there is nothing left. */
  #left(options: AgentOptions): AgentOptions | undefined {
    const [first, ...rest] = options.tunnels.filter((tunnel) => !this.#isWithdrawn(tunnel));
    return first && { ...options, tunnels: [first, ...rest] };
  }

  #isWithdrawn({ name, domain = this.#chosenNames.get(name) }: AgentTunnel): boolean {
    return domain !== undefined && this.#withdrawn.has(domain);
  }
}

/** What makes another agent necessary. */
function comparable(options: AgentOptions): object {
  const { logger: _, figures: __, tunnels: ___, ...rest } = options;
  return { ...rest, tunnels: tunnelsOf(options) };
}

function tunnelsOf({ tunnels }: AgentOptions): object[] {
  return tunnels.map(({ name: _, formerName: __, ...tunnel }) => tunnel);
}
