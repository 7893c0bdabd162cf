/**
 * Runs an agent from settings to exit status: token, trust, connection, signals, drain.
 */
import type { AgentOptions } from '../../agent/agent-options.ts';
import { AgentFigures } from '../../agent/figures.ts';
import type { AgentSettings } from '../../config/agent-settings.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { stdinReader } from '../credentials/stdin-text.ts';
import { Lifetimes } from '../lifecycle/lifetimes.ts';
import { type EndSignal, signalExit } from '../lifecycle/shutdown-signals.ts';
import { createLogger, isLogBesideOutput, type ProcessLog } from '../logging/create-logger.ts';
import { serverText } from '../network/server-text.ts';
import type { HostContext } from '../oclif/host-context.ts';
import { type AgentConfig, readAgentConfig } from '../settings/program-config.ts';
import type { Output } from '../terminal/output.ts';
import { type BegunAgent, beginAgent } from './agent-begin.ts';
import { type AgentSurroundings, agentOptionsOf } from './agent-options-of.ts';
import { firstOf, lateError } from './agent-start.ts';
import type { AgentView } from './agent-view.ts';
import { warnOfSettings } from './agent-warnings.ts';
import { createInspector } from './local-api.ts';
import type { AgentPresenter } from './presenters/agent-presenter.ts';
import { createJsonPresenter, readyFields } from './presenters/json-presenter.ts';
import { untilPublic } from './readiness/public-check.ts';
import { ReadyFiles } from './readiness/ready-files.ts';
import type { ReplaceableAgent } from './replaceable-agent.ts';
import { DetachedParent } from './running/detached-parent.ts';
import { accompany } from './wrapper/agent-command.ts';
import type { CommandWords } from './wrapper/wrapped-command.ts';

/** What an agent is run with. */
export interface AgentHostContext extends HostContext {
  /** TARGET as it was given. */
  readonly target: string | undefined;
  /** What to run while the tunnel serves; its end is then that of the agent. Undefined serves until a signal comes. */
  readonly command: CommandWords | undefined;
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
  const prepared = await prepareAgent(context);
  const { settings } = prepared.config;
  const lifetimes = new Lifetimes();
  const presenter = await createPresenter(context, settings);
  try {
    const begun = await beginAgent({ ...context, ...prepared, presenter }, lifetimes);
    const signal = await untilReady(context, prepared, begun, lifetimes);
    if (signal !== undefined) return await end(begun.agent, 0, signalExit[signal]);
    if (settings.qr) await showCodes(context.output, presenter, begun.view);
    begun.watchOrigins();
    return await serve(context, begun, presenter, lifetimeOf(settings.maxLifetime, lifetimes));
  } finally {
    await lifetimes[Symbol.asyncDispose]();
    await presenter.settled();
  }
}

interface PreparedAgent {
  readonly config: AgentConfig;
  readonly files: ReadyFiles;
  readonly log: ProcessLog;
  readonly surroundings: AgentSurroundings;
  readonly started: AgentOptions;
}

/** Finds out what can be known, and refused, before anything runs. */
async function prepareAgent(context: RunContext): Promise<PreparedAgent> {
  const { input, target, json } = context;
  const config = await readAgentConfig(input);
  const { settings } = config;
  const files = await ReadyFiles.prepare(settings, input.environment);
  const log = createLogger(settings);
  const surroundings: AgentSurroundings = {
    target,
    environment: input.environment,
    logger: log.logger,
    // One failure is one line: where each request has its own, that one tells it.
    logsFailures: json || !showsRequests(context) || !isLogBesideOutput(settings),
    figures: new AgentFigures(),
    inspector: settings.noInspect ? undefined : createInspector(settings),
    readStdin: stdinReader(),
  };
  const started = await agentOptionsOf(config, surroundings);
  if (!json) warnOfSettings(context, config, started);
  return { config, files, log, surroundings, started };
}

/**
 * Waits until the tunnel is ready in the sense that was asked for, and tells so; returns the signal that came instead.
 *
 * @throws {GiraffeError} Why it is refused, or not ready in time.
 */
async function untilReady(
  { command, parent }: RunContext,
  { config: { settings }, files }: PreparedAgent,
  begun: BegunAgent,
  lifetimes: Lifetimes,
): Promise<EndSignal | undefined> {
  const { agent, view, announcement, gate, signals, urls } = begun;
  const checks = new AbortController();
  lifetimes.defer(() => checks.abort());
  let problem: string | undefined;
  const onProblem = (reason: string) => {
    problem = reason;
  };
  const ready = agent.ready.then(async () => {
    const check = { level: settings.waitReady, tunnels: view.tunnels(), signal: checks.signal, onProblem };
    const lack = await Promise.race([untilPublic(check), gate.withdrawn]);
    if (lack !== undefined) throw lack;
    await files.write(view.tunnels());
    // Whoever is told that the tunnel is ready may list or stop it at once.
    await announcement.settled();
    const event = gate.open();
    if (event !== undefined) await parent?.ready({ ...readyFields(event), ...urls });
  });
  const isAttended = command !== undefined || parent !== undefined;
  const timeoutMs = settings.timeout ?? (isAttended ? attendedTimeoutMs : undefined);
  const start = await firstOf(ready, agent.closed, signals.first, timeoutMs);
  if (start.kind !== 'late') return start.kind === 'signal' ? start.signal : undefined;
  const server = serverText(settings.server);
  throw lateError({ timeoutMs: timeoutMs ?? 0, server, lastError: begun.lastError(), problem });
}

/** Serves until a signal, the end of the command or of the lifetime; returns the exit status. */
async function serve(
  { input, command }: RunContext,
  { agent, view, signals, reload }: BegunAgent,
  presenter: AgentPresenter,
  lifetime: Promise<number>,
): Promise<number> {
  const drainMs = () => reload.settings.drainTimeout;
  if (command !== undefined) {
    const { environment } = input;
    const tunnels = view.tunnels();
    return await accompany(command, { environment, tunnels, presenter, agent, signals, lifetime, drainMs });
  }
  const outcome = await Promise.race([signals.first, agent.closed, lifetime]);
  if (outcome instanceof GiraffeError) throw outcome;
  if (typeof outcome === 'number') presenter.showLifetimeOver(outcome);
  presenter.showDraining(drainMs());
  return await end(agent, drainMs(), 0);
}

function toStderr(output: Output): Output {
  return { out: (line) => output.err(line), err: (line) => output.err(line), isInteractive: output.isInteractive };
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
  const { qrCodeOf } = await import('../terminal/qr-code.ts');
  for (const { url } of view.tunnels()) output.err(`${qrCodeOf(url)}\n${url}`);
}

async function end(agent: Pick<ReplaceableAgent, 'drain'>, drainMs: number, status: number): Promise<number> {
  await agent.drain(drainMs);
  return status;
}

/** Whether people are told of each request: unless a command has the terminal, or nobody has. */
function showsRequests({ command, parent }: RunContext): boolean {
  return command === undefined && parent === undefined;
}

async function createPresenter(context: RunContext, settings: AgentSettings): Promise<AgentPresenter> {
  const { json, output } = context;
  if (json) return createJsonPresenter(output);
  const [{ HumanPresenter }, { StartupList }] = await Promise.all([
    import('./presenters/human-presenter.ts'),
    import('./presenters/startup-list.ts'),
  ]);
  return new HumanPresenter({
    output,
    list: new StartupList(process.stderr, output.isInteractive),
    transport: settings.transport,
    server: serverText(settings.server),
    showsRequests: showsRequests(context),
  });
}
