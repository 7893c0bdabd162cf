/** Tells other commands of a running agent: its record in the state folder, from when it first serves to its end. */
import type { AgentEvent, AgentOptions } from '../../../agent/agent-options.ts';
import { type AgentRecord, announceAgent, type RunningAgent } from '../../../state/running-agents.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { serverText } from '../../network/server-text.ts';
import type { LocalApiUrls } from '../local-api.ts';

/** What is known before the agent serves. */
export interface AnnouncementOptions extends LocalApiUrls {
  readonly stateDir: string;
  /** Where the agent logs; undefined for stderr. */
  readonly logFile: string | undefined;
  readonly logger: Logger;
}

/** The record of one agent, which may not be there yet. */
export class AgentAnnouncement implements AsyncDisposable {
  readonly #options: AnnouncementOptions;
  #facts: RunningAgent;
  #record: Promise<AgentRecord> | undefined;

  constructor(options: AnnouncementOptions) {
    this.#options = options;
    this.#facts = {
      v: 1,
      pid: process.pid,
      startedAt: new Date().toISOString(),
      server: '',
      apiUrl: options.apiUrl,
      inspectUrl: options.inspectUrl,
      logFile: options.logFile,
      mode: undefined,
      tunnels: [],
    };
  }

  /** Takes note of what an agent with these options tells. */
  note(event: AgentEvent, inForce: AgentOptions): void {
    switch (event.type) {
      case 'ready':
        this.#serves(event, inForce);
        break;
      case 'withdrawn':
        this.update({ tunnels: this.#facts.tunnels.filter(({ domain }) => domain !== event.domain) });
        break;
      case 'mode':
        this.update({ mode: event.mode });
        break;
      case 'reconnecting':
        this.update({ mode: undefined });
        break;
      default:
        break;
    }
  }

  /** Changes what the record says, now or once it is there. */
  update(change: Partial<RunningAgent>): void {
    this.#facts = { ...this.#facts, ...change };
    void this.#record?.then((record) => record.update(change));
  }

  /** Resolves when others can read what is known, or it is clear that they cannot. */
  async settled(): Promise<void> {
    await this.#record;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#record)?.[Symbol.asyncDispose]();
  }

  #serves({ mode, tunnels }: Extract<AgentEvent, { type: 'ready' }>, { server }: AgentOptions): void {
    const { host, grpcPort } = server;
    this.update({
      mode,
      server: serverText({ host, port: grpcPort }),
      tunnels,
    });
    const { stateDir, logger } = this.#options;
    this.#record ??= announceAgent(stateDir, this.#facts, {
      onWarning: ({ path, message }) => logger.warn({ path, detail: message }, 'state folder'),
    });
  }
}
