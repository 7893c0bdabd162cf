/**
 * What a reload of an edge changes: certificates and tokens are read again, extensions are made anew where their section
 * has changed, and settings that can change at once do. Nothing in flight notices.
 */
import { isDeepStrictEqual } from 'node:util';
import { type EdgeSettings, edgeSettings } from '../../config/edge-settings.ts';
import type { Edge } from '../../edge/edge-options.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { PreparedChange, ReloadPart } from '../lifecycle/reload-part.ts';
import type { Reload, ReloadOutcome } from '../lifecycle/reloader.ts';
import type { ProcessLog } from '../logging/create-logger.ts';
import { edgePolicyOf } from '../settings/policy-settings.ts';
import { type EdgeConfig, type ProgramInput, readEdgeConfig } from '../settings/program-config.ts';
import { settingChanges } from '../settings/setting-changes.ts';
import { edgeLimits } from './edge-limits.ts';
import type { EdgeState } from './edge-state.ts';

/** What a reload works on. */
export interface EdgeReloadOptions {
  readonly input: ProgramInput;
  /** The configuration in force. */
  readonly config: EdgeConfig;
  readonly edge: Pick<Edge, 'changePolicy' | 'reconfigure' | 'reload'>;
  readonly state: Pick<EdgeState, 'certificates' | 'tokens'>;
  readonly log: ProcessLog;
  /** What has a section of its own. */
  readonly parts: readonly ReloadPart[];
}

/** Sections that say what is loaded at the start. */
const restartSections = ['plugins', 'certificates'] as const;
/** Sections of an edge that a reload puts in force. */
const liveSections = ['routing', 'auth', 'metrics'] as const;

/** Reloads one edge. */
export class EdgeReload implements Reload<EdgeConfig> {
  readonly #options: EdgeReloadOptions;
  #current: EdgeConfig;

  constructor(options: EdgeReloadOptions) {
    this.#options = options;
    this.#current = options.config;
  }

  get logger(): Logger {
    return this.#options.log.logger;
  }

  /** The settings in force. */
  get settings(): EdgeSettings {
    return this.#current.settings;
  }

  read(): Promise<EdgeConfig> {
    return readEdgeConfig(this.#options.input);
  }

  async use(wanted: EdgeConfig): Promise<ReloadOutcome> {
    const { edge, log } = this.#options;
    const former = this.#current;
    const { live, restart, values } = settingChanges(edgeSettings, former.settings, wanted.settings);
    const next: EdgeConfig = { file: wanted.file, settings: values };
    const changes = await this.#prepare(next);
    log.reopen();
    log.setLevel(values.logLevel);
    edge.reconfigure({ limits: edgeLimits(values), trustedProxies: values.trustedProxies });
    edge.changePolicy(edgePolicyOf(values, next.file.config.server));
    for (const change of changes) change.apply();
    const differs = (name: (typeof restartSections)[number] | (typeof liveSections)[number]) =>
      !isDeepStrictEqual(former.file.config[name], wanted.file.config[name]);
    // What needs a restart is told again at the next reload.
    const { plugins, certificates } = former.file.config;
    this.#current = {
      settings: values,
      file: { ...wanted.file, config: { ...wanted.file.config, plugins, certificates } },
    };
    return {
      changed: [...live, ...liveSections.filter(differs)],
      needsRestart: [...restart, ...restartSections.filter(differs)],
    };
  }

  /** Does everything that can fail; when something does, what was prepared is ended. */
  async #prepare(next: EdgeConfig): Promise<PreparedChange[]> {
    const { edge, state, parts } = this.#options;
    const changes: PreparedChange[] = [];
    try {
      await state.tokens.reload();
      const { tunnels, proxy } = await state.certificates(next.settings);
      changes.push({ apply: () => edge.reload(tunnels, proxy) });
      for (const part of parts) {
        const change = await part.prepare(next);
        if (change !== undefined) changes.push(change);
      }
      return changes;
    } catch (error) {
      for (const change of changes) await change.discard?.().catch(() => undefined);
      throw error;
    }
  }
}
