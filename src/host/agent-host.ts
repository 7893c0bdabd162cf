/**
 * Runs an agent from settings to exit status: token, trust, connection, signals, drain.
 */
import type { Agent, AgentEvent } from '../agent/agent-options.ts';
import { AgentFigures } from '../agent/figures.ts';
import { type AgentSettings, agentSettings } from '../config/agent-settings.ts';
import { findSetting } from '../config/setting.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { targetText } from '../http/target.ts';
import { defaultStateDir } from '../state/state-folder.ts';
import { AgentAnnouncement } from './agent-announcement.ts';
import { startInspector } from './agent-inspector.ts';
import { createAgentMetrics, startAgentMetrics } from './agent-metrics.ts';
import { type AgentSurroundings, agentOptionsOf, type NamedAgentOptions } from './agent-options-of.ts';
import type { AgentPresenter } from './agent-presenter.ts';
import { AgentReload } from './agent-reload.ts';
import { AgentView } from './agent-view.ts';
import { createLogger } from './create-logger.ts';
import { createHangUpTest } from './hang-up.ts';
import { createJsonPresenter } from './json-presenter.ts';
import { Lifetimes } from './lifetimes.ts';
import { OriginWatches } from './origin-watch.ts';
import type { Output } from './output.ts';
import type { PluginHost } from './plugin-loader.ts';
import { type AgentConfig, type ProgramInput, readAgentConfig, sourcesOf } from './program-config.ts';
import { Reloader } from './reloader.ts';
import { ReplaceableAgent } from './replaceable-agent.ts';
import { serverText } from './server-text.ts';
import { type EndSignal, listenForSignals, signalExit } from './shutdown-signals.ts';

/** What an agent is run with. */
export interface AgentHostContext {
  readonly input: ProgramInput;
  /** TARGET as it was given. */
  readonly target: string | undefined;
  readonly plugins: PluginHost;
  readonly output: Output;
  /** Whether programs read stdout. */
  readonly json: boolean;
}

/**
 * Runs an agent until a signal ends it, and returns the exit status.
 *
 * @throws {GiraffeError} When it is refused, cannot begin, or is not ready in time.
 */
export async function runAgent(context: AgentHostContext): Promise<number> {
  const { input, target, json } = context;
  const config = await readAgentConfig(input);
  const { settings } = config;
  const log = createLogger(settings);
  const surroundings: AgentSurroundings = {
    target,
    environment: input.environment,
    logger: log.logger,
    figures: new AgentFigures(),
    readStdin: once(readStdin),
  };
  const started = await agentOptionsOf(config, surroundings);
  if (!json) warn(context, config, started);
  const lifetimes = new Lifetimes();
  const presenter = await createPresenter(context, settings);
  try {
    const running = createAgentMetrics(surroundings);
    const view = new AgentView(surroundings.figures, running.runner);
    const inspectUrl = await startInspector({ input, config, agent: view, logger: log.logger }, lifetimes);
    if (inspectUrl !== undefined) presenter.showInspector(inspectUrl);
    const metrics = await startAgentMetrics(context.plugins, config, surroundings, running, lifetimes);
    let watches = watchOrigins(started, presenter);
    lifetimes.defer(() => watches[Symbol.dispose]());
    const announcement = lifetimes.use(
      new AgentAnnouncement({
        stateDir: settings.stateDir ?? defaultStateDir(input.environment),
        logFile: settings.logFile,
        inspectUrl,
        logger: log.logger,
      }),
    );
    let lastError: GiraffeError | undefined;
    const listener = (event: AgentEvent) => {
      if (event.type === 'reconnecting') lastError = event.error;
      if (event.type === 'origin') watches.report(event.target, event.error?.code);
      if (event.type === 'ready') reload.note(event);
      announcement.note(event, reload.inForce);
      view.note(event, reload.inForce.names);
      presenter.show(event);
    };
    const agent = lifetimes.use(new ReplaceableAgent(started.options, listener));
    const onChanged = (changed: NamedAgentOptions) => {
      watches[Symbol.dispose]();
      watches = watchOrigins(changed, presenter);
      void watches.start();
    };
    const reload = new AgentReload({ input, config, started, surroundings, agent, log, metrics, onChanged });
    const reloader = new Reloader(reload);
    // Without a file there is nothing to reload, and SIGHUP ends the process as it does any other.
    const signals = listenForSignals(process, config.file.path === undefined ? undefined : onHangUp(reloader));
    lifetimes.defer(() => signals[Symbol.dispose]());
    const start = await firstOf(agent, signals.first, settings.timeout);
    if (start.kind === 'late') throw lateError(settings, lastError);
    if (start.kind === 'signal') return await end(agent, 0, signalExit[start.signal]);
    void watches.start();
    const outcome = await Promise.race([signals.first, agent.closed]);
    if (outcome instanceof GiraffeError) throw outcome;
    presenter.showDraining(reload.settings.drainTimeout);
    return await end(agent, reload.settings.drainTimeout, 0);
  } finally {
    await lifetimes[Symbol.asyncDispose]();
    await presenter.settled();
  }
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

type Start =
  | { readonly kind: 'ready' }
  | { readonly kind: 'late' }
  | { readonly kind: 'signal'; readonly signal: EndSignal };

/** Waits for whatever comes first: the tunnel serves, the time is up, a signal. Rejects when the edge refuses for good. */
async function firstOf(
  agent: Pick<Agent, 'ready'>,
  signal: Promise<EndSignal>,
  timeoutMs: number | undefined,
): Promise<Start> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Start>((resolve) => {
    if (timeoutMs !== undefined) timer = setTimeout(() => resolve({ kind: 'late' }), timeoutMs);
  });
  const ready = agent.ready.then((): Start => ({ kind: 'ready' }));
  // Closing an agent that never served rejects `ready`; by then nobody waits for it.
  ready.catch(() => undefined);
  const first = await Promise.race([ready, late, signal.then((name): Start => ({ kind: 'signal', signal: name }))]);
  clearTimeout(timer);
  return first;
}

async function end(agent: Pick<Agent, 'drain'>, drainMs: number, status: number): Promise<number> {
  await agent.drain(drainMs);
  return status;
}

/** The reason of the last attempt says more than "too late", unless it would have another exit status. */
function lateError({ timeout, server }: AgentSettings, last: GiraffeError | undefined): GiraffeError {
  const code = last?.entry.exit === 6 ? last.code : 'GIR_ERR_EDGE_UNREACHABLE';
  const why = last === undefined ? 'no attempt has ended yet' : last.message;
  return new GiraffeError(code, `no tunnel to ${serverText(server)} within ${timeout} ms: ${why}`, { cause: last });
}

async function createPresenter({ json, output }: AgentHostContext, settings: AgentSettings): Promise<AgentPresenter> {
  if (json) return createJsonPresenter(output);
  const [{ HumanPresenter }, { StartupList }] = await Promise.all([
    import('./human-presenter.ts'),
    import('./startup-list.ts'),
  ]);
  const list = new StartupList(process.stderr, output.isInteractive);
  return new HumanPresenter({ output, list, transport: settings.transport, server: serverText(settings.server) });
}

function warn({ input, output }: AgentHostContext, { file, settings }: AgentConfig, started: NamedAgentOptions): void {
  const token = findSetting(agentSettings.token, sourcesOf(input, file));
  if (token.source === 'flag' && token.text !== '-') {
    output.err(
      'Warning: others on this machine can read --token in the process list; GIRAFFE_TOKEN, --token-file and --token - hide it.',
    );
  }
  if (token.source === 'file') {
    output.err(`Warning: ${file.path} holds the token itself; agent.tokenFile keeps it in a file of its own.`);
  }
  if (settings.insecure) {
    output.err(
      "Warning: --insecure does not verify the edge's certificate: anybody in between can read and change everything.",
    );
  }
  const unverified = unverifiedOrigins(started);
  if (unverified.length > 0) {
    output.err(
      `Warning: the certificate of ${unverified.join(', ')} is not verified; --origin-ca FILE does that for a private CA or a self-signed one.`,
    );
  } else if (settings.originInsecure) {
    output.err('Warning: --origin-insecure has nothing to do: no target is an https:// URL.');
  }
}

/** Returns the https origins that are believed whoever they are, each once. */
function unverifiedOrigins({ options }: NamedAgentOptions): string[] {
  const insecure = options.tunnels.filter(({ originTls }) => originTls?.trust.kind === 'insecure');
  const targets = insecure.flatMap(({ target, targets = {} }) => [target, ...Object.values(targets)]);
  return [...new Set(targets.filter((target) => target.kind === 'tcp' && target.tls).map(targetText))];
}

/** Returns a function that calls `work` at most once, and always returns what came out. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
