/** What shows an agent's doings: to people or to programs. */
import type { AgentEvent } from '../../../agent/agent-options.ts';
import type { LocalApiUrls } from '../local-api.ts';

/** Shows events as they come. */
export interface AgentPresenter {
  show(event: AgentEvent): void;
  /** Where the local API and the request inspector answer. Told before the first event. */
  showLocalApi(urls: LocalApiUrls): void;
  /** The service behind the tunnel has gone (`reason`) or is there (undefined). */
  showOrigin(target: string, reason: string | undefined): void;
  /** The agent ends once what is in flight has ended, at the latest after this many milliseconds. */
  showDraining(deadlineMs: number): void;
  /** The tunnel ends because it was to be up for this many milliseconds at most. */
  showLifetimeOver(lifetimeMs: number): void;
  /** The resolver of this machine does not know a name below localhost, which programs of the command may want. */
  showUnresolved(name: string): void;
  /** Resolves when everything that was shown has been written. */
  settled(): Promise<void>;
}
