/**
 * Begins an agent with everything around it: its local API, metrics, record, watches, signals and reload. What ends it is
 * for the caller.
 */
import type { AgentEvent, AgentOptions } from '../../agent/agent-options.ts';
import type { GiraffeError } from '../../errors/giraffe-error.ts';
import { defaultStateDir } from '../../state/state-folder.ts';
import type { PluginHost } from '../extensions/plugin-loader.ts';
import { createHangUpTest } from '../lifecycle/hang-up.ts';
import type { Lifetimes } from '../lifecycle/lifetimes.ts';
import { Reloader } from '../lifecycle/reloader.ts';
import { listenForSignals, type ShutdownSignals } from '../lifecycle/shutdown-signals.ts';
import type { ProcessLog } from '../logging/create-logger.ts';
import type { AgentConfig, ProgramInput } from '../settings/program-config.ts';
import { createAgentMetrics, startAgentMetrics } from './agent-metrics.ts';
import type { AgentSurroundings } from './agent-options-of.ts';
import { AgentReload } from './agent-reload.ts';
import { AgentView } from './agent-view.ts';
import { type LocalApiUrls, startLocalApi } from './local-api.ts';
import { OriginWatches } from './origin-watch.ts';
import type { AgentPresenter } from './presenters/agent-presenter.ts';
import { ReadyGate } from './readiness/ready-gate.ts';
import { ReplaceableAgent } from './replaceable-agent.ts';
import { AgentAnnouncement } from './running/agent-announcement.ts';
import type { DetachedParent } from './running/detached-parent.ts';
import type { CommandWords } from './wrapper/wrapped-command.ts';

/** What an agent begins with. */
export interface BeginContext {
  readonly input: ProgramInput;
  readonly plugins: PluginHost;
  /** With a command, SIGHUP is the command's. */
  readonly command: CommandWords | undefined;
  readonly parent: DetachedParent | undefined;
  readonly config: AgentConfig;
  readonly log: ProcessLog;
  readonly surroundings: AgentSurroundings;
  readonly started: AgentOptions;
  readonly presenter: AgentPresenter;
}

/** An agent that connects, and what is around it. */
export interface BegunAgent {
  readonly agent: ReplaceableAgent;
  readonly view: AgentView;
  readonly announcement: AgentAnnouncement;
  /** Holds back the word that it is ready. */
  readonly gate: ReadyGate;
  readonly reload: AgentReload;
  readonly signals: ShutdownSignals;
  readonly urls: LocalApiUrls;
  /** Why the last attempt to connect failed; undefined while it serves. */
  lastError(): GiraffeError | undefined;
  /** Begins to tell when a service behind the tunnel goes or comes. */
  watchOrigins(): void;
}

/**
 * Begins an agent; it connects when this returns. `lifetimes` ends it.
 *
 * @throws {GiraffeError} Why it cannot begin.
 */
export async function beginAgent(context: BeginContext, lifetimes: Lifetimes): Promise<BegunAgent> {
  const { input, plugins, command, parent, config, log, surroundings, started, presenter } = context;
  const { settings } = config;
  const running = createAgentMetrics(surroundings);
  const view = new AgentView(surroundings, running.runner);
  const urls = await startLocalApi({ input, config, surroundings, agent: view }, lifetimes);
  presenter.showLocalApi(urls);
  const metrics = await startAgentMetrics(plugins, config, surroundings, running, lifetimes);
  let watches = watchesOf(started, presenter);
  lifetimes.defer(() => watches[Symbol.dispose]());
  const announcement = lifetimes.use(
    new AgentAnnouncement({
      stateDir: settings.stateDir ?? defaultStateDir(input.environment),
      logFile: settings.logFile ?? parent?.logFile,
      ...urls,
      logger: log.logger,
    }),
  );
  const gate = new ReadyGate((event) => presenter.show(event));
  let lastError: GiraffeError | undefined;
  const listener = (event: AgentEvent) => {
    if (event.type === 'reconnecting') lastError = event.error;
    if (event.type === 'ready') lastError = undefined;
    if (event.type === 'origin') watches.report(event.target, event.error?.code);
    reload.note(event);
    announcement.note(event, reload.inForce);
    view.note(event);
    if (event.type === 'withdrawn') watches.keep(reload.inForce.tunnels.map(({ target }) => target));
    gate.pass(event);
  };
  const agent = lifetimes.use(new ReplaceableAgent(started, listener));
  const onChanged = (changed: AgentOptions) => {
    watches[Symbol.dispose]();
    watches = watchesOf(changed, presenter);
    void watches.start();
  };
  const reload = new AgentReload({ input, config, started, surroundings, agent, log, metrics, onChanged });
  // Without a file there is nothing to reload, and SIGHUP ends the process as it does any other. A command gets it.
  const hasReload = config.file.path !== undefined && command === undefined;
  const signals = listenForSignals(process, hasReload ? onHangUp(new Reloader(reload)) : undefined);
  lifetimes.defer(() => signals[Symbol.dispose]());
  const watchOrigins = () => void watches.start();
  return { agent, view, announcement, gate, reload, signals, urls, lastError: () => lastError, watchOrigins };
}

/** Exit status of a process that SIGHUP ended. */
const hangUpExit = 129;

/** A terminal that goes away ends the agent; any other SIGHUP asks for a reload. */
function onHangUp(reloader: Reloader<AgentConfig>): () => void {
  const isTerminalGone = createHangUpTest();
  return () => {
    if (isTerminalGone()) process.exit(hangUpExit);
    else void reloader.request();
  };
}

function watchesOf({ tunnels }: AgentOptions, presenter: AgentPresenter): OriginWatches {
  return new OriginWatches(
    tunnels.map((tunnel) => tunnel.target),
    (target, reason) => presenter.showOrigin(target, reason),
  );
}
