/**
 * Runs an agent from settings to exit status: token, trust, connection, signals, drain.
 */
import type { AgentEvent } from '../agent/agent-options.ts';
import { AgentFigures } from '../agent/figures.ts';
import type { AgentSettings } from '../config/agent-settings.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { defaultStateDir } from '../state/state-folder.ts';
import { AgentAnnouncement } from './agent-announcement.ts';
import { accompany } from './agent-command.ts';
import { createAgentMetrics, startAgentMetrics } from './agent-metrics.ts';
import { type AgentSurroundings, agentOptionsOf, type NamedAgentOptions } from './agent-options-of.ts';
import type { AgentPresenter } from './agent-presenter.ts';
import { AgentReload } from './agent-reload.ts';
import { firstOf, lateError } from './agent-start.ts';
import { AgentView } from './agent-view.ts';
import { warnOfSettings } from './agent-warnings.ts';
import { createLogger } from './create-logger.ts';
import { DetachedParent } from './detached-parent.ts';
import { createHangUpTest } from './hang-up.ts';
import { createJsonPresenter, readyFields } from './json-presenter.ts';
import { Lifetimes } from './lifetimes.ts';
import { createInspector, startLocalApi } from './local-api.ts';
import { OriginWatches } from './origin-watch.ts';
import type { Output } from './output.ts';
import type { PluginHost } from './plugin-loader.ts';
import { type AgentConfig, type ProgramInput, readAgentConfig } from './program-config.ts';
import { untilPublic } from './public-check.ts';
import { ReadyFiles } from './ready-files.ts';
import { ReadyGate } from './ready-gate.ts';
import { Reloader } from './reloader.ts';
import { ReplaceableAgent } from './replaceable-agent.ts';
import { serverText } from './server-text.ts';
import { listenForSignals, signalExit } from './shutdown-signals.ts';
import { stdinReader } from './stdin-text.ts';
import type { CommandWords } from './wrapped-command.ts';

/** What an agent is run with. */
export interface AgentHostContext {
  readonly input: ProgramInput;
  /** TARGET as it was given. */
  readonly target: string | undefined;
  /** What to run while the tunnel serves; its end is then that of the agent. Undefined serves until a signal comes. */
  readonly command: CommandWords | undefined;
  readonly plugins: PluginHost;
  readonly output: Output;
  /** Whether programs read stdout. */
  readonly json: boolean;
}

/** Time to become ready, in milliseconds, where somebody waits and nothing is set. */
const attendedTimeoutMs = 30_000;

/**
 * Runs an agent until a signal, the end of its command or of its lifetime ends it, and returns the exit status.
 *
 * @throws {GiraffeError} When it is refused, cannot begin, or is not ready in time.
 */
export async function runAgent(context: AgentHostContext): Promise<number> {
  const parent = DetachedParent.find(context.input.environment);
  // The command has stdout for itself.
  const output = context.command === undefined ? context.output : toStderr(context.output);
  try {
    return await run({ ...context, output, parent });
  } catch (error) {
    await parent?.failed(error);
    throw error;
  }
}

interface RunContext extends AgentHostContext {
  /** Who waits until the tunnel is ready, with --detach. */
  readonly parent: DetachedParent | undefined;
}

async function run(context: RunContext): Promise<number> {
  const { input, target, json, command, parent } = context;
  const config = await readAgentConfig(input);
  const { settings } = config;
  const files = await ReadyFiles.prepare(settings, input.environment);
  const log = createLogger(settings);
  const surroundings: AgentSurroundings = {
    target,
    environment: input.environment,
    logger: log.logger,
    figures: new AgentFigures(),
    inspector: settings.noInspect ? undefined : createInspector(settings),
    readStdin: stdinReader(),
  };
  const started = await agentOptionsOf(config, surroundings);
  if (!json) warnOfSettings(context, config, started);
  const lifetimes = new Lifetimes();
  const presenter = await createPresenter(context, settings);
  try {
    const running = createAgentMetrics(surroundings);
    const view = new AgentView(surroundings, running.runner);
    const urls = await startLocalApi({ input, config, surroundings, agent: view }, lifetimes);
    presenter.showLocalApi(urls);
    const metrics = await startAgentMetrics(context.plugins, config, surroundings, running, lifetimes);
    let watches = watchOrigins(started, presenter);
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
      if (event.type === 'ready') reload.note(event);
      announcement.note(event, reload.inForce);
      view.note(event, reload.inForce.names);
      gate.pass(event);
    };
    const agent = lifetimes.use(new ReplaceableAgent(started.options, listener));
    const onChanged = (changed: NamedAgentOptions) => {
      watches[Symbol.dispose]();
      watches = watchOrigins(changed, presenter);
      void watches.start();
    };
    const reload = new AgentReload({ input, config, started, surroundings, agent, log, metrics, onChanged });
    const reloader = new Reloader(reload);
    // Without a file there is nothing to reload, and SIGHUP ends the process as it does any other. A command gets it.
    const hasReload = config.file.path !== undefined && command === undefined;
    const signals = listenForSignals(process, hasReload ? onHangUp(reloader) : undefined);
    lifetimes.defer(() => signals[Symbol.dispose]());

    const checks = new AbortController();
    lifetimes.defer(() => checks.abort());
    let problem: string | undefined;
    const ready = agent.ready.then(async () => {
      const onProblem = (reason: string) => {
        problem = reason;
      };
      await untilPublic({ level: settings.waitReady, tunnels: view.tunnels(), signal: checks.signal, onProblem });
      await files.write(view.tunnels());
      // Whoever is told that the tunnel is ready may list or stop it at once.
      await announcement.settled();
      const event = gate.open();
      if (event !== undefined) await parent?.ready({ ...readyFields(event), ...urls });
    });
    const isAttended = command !== undefined || parent !== undefined;
    const timeoutMs = settings.timeout ?? (isAttended ? attendedTimeoutMs : undefined);
    const start = await firstOf(ready, agent.closed, signals.first, timeoutMs);
    if (start.kind === 'late') {
      throw lateError({ timeoutMs: timeoutMs ?? 0, server: serverText(settings.server), lastError, problem });
    }
    if (start.kind === 'signal') return await end(agent, 0, signalExit[start.signal]);
    if (settings.qr) await showCodes(context.output, presenter, view);
    void watches.start();
    const lifetime = lifetimeOf(settings.maxLifetime, lifetimes);
    if (command !== undefined) {
      const { environment } = input;
      const tunnels = view.tunnels();
      const drainMs = () => reload.settings.drainTimeout;
      return await accompany(command, { environment, tunnels, presenter, agent, signals, lifetime, drainMs });
    }
    const outcome = await Promise.race([signals.first, agent.closed, lifetime]);
    if (outcome instanceof GiraffeError) throw outcome;
    if (typeof outcome === 'number') presenter.showLifetimeOver(outcome);
    presenter.showDraining(reload.settings.drainTimeout);
    return await end(agent, reload.settings.drainTimeout, 0);
  } finally {
    await lifetimes[Symbol.asyncDispose]();
    await presenter.settled();
  }
}

function toStderr(output: Output): Output {
  return { out: (line) => output.err(line), err: (line) => output.err(line), isInteractive: output.isInteractive };
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

function watchOrigins({ options }: NamedAgentOptions, presenter: AgentPresenter): OriginWatches {
  return new OriginWatches(
    options.tunnels.map((tunnel) => tunnel.target),
    (target, reason) => presenter.showOrigin(target, reason),
  );
}

/** Resolves with the length of the lifetime, in milliseconds, when it is over. */
function lifetimeOf(maxLifetimeMs: number | undefined, lifetimes: Lifetimes): Promise<number> {
  return new Promise((resolve) => {
    if (maxLifetimeMs === undefined) return;
    const timer = setTimeout(() => resolve(maxLifetimeMs), maxLifetimeMs);
    lifetimes.defer(() => clearTimeout(timer));
  });
}

async function showCodes(output: Output, presenter: AgentPresenter, view: AgentView): Promise<void> {
  await presenter.settled();
  const { qrCodeOf } = await import('./qr-code.ts');
  for (const { url } of view.tunnels()) output.err(`${qrCodeOf(url)}\n${url}`);
}

async function end(agent: Pick<ReplaceableAgent, 'drain'>, drainMs: number, status: number): Promise<number> {
  await agent.drain(drainMs);
  return status;
}

async function createPresenter(
  { json, output, command, parent }: RunContext,
  settings: AgentSettings,
): Promise<AgentPresenter> {
  if (json) return createJsonPresenter(output);
  const [{ HumanPresenter }, { StartupList }] = await Promise.all([
    import('./human-presenter.ts'),
    import('./startup-list.ts'),
  ]);
  return new HumanPresenter({
    output,
    list: new StartupList(process.stderr, output.isInteractive),
    transport: settings.transport,
    server: serverText(settings.server),
    showsRequests: command === undefined && parent === undefined,
  });
}
