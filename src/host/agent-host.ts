/**
 * Runs an agent from settings to exit status: token, trust, connection, signals, drain.
 */
import { startAgent } from '../agent/agent.ts';
import type { Agent, AgentEvent, AgentOptions, HostHeader } from '../agent/agent-options.ts';
import { type Target, targetText } from '../agent/target.ts';
import type { AgentSettings } from '../config/agent-settings.ts';
import type { Environment } from '../config/env.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { defaultStateDir } from '../state/state-folder.ts';
import { findToken, findTrust } from './agent-credentials.ts';
import type { AgentPresenter } from './agent-presenter.ts';
import { tunnelTarget } from './agent-target.ts';
import { createLogger } from './create-logger.ts';
import { createJsonPresenter } from './json-presenter.ts';
import { Lifetimes } from './lifetimes.ts';
import { OriginWatch } from './origin-watch.ts';
import type { Output } from './output.ts';
import { type EndSignal, listenForSignals, signalExit } from './shutdown-signals.ts';

/** What an agent is run with. */
export interface AgentHostContext {
  readonly settings: AgentSettings;
  /** TARGET as it was given. */
  readonly target: string | undefined;
  /** Whether the token stands in the command line. */
  readonly isTokenVisible: boolean;
  readonly environment: Environment;
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
  const { settings, json } = context;
  const target = tunnelTarget(context.target, settings.port);
  const options = await agentOptions(context, target);
  if (!json) warn(context);
  const lifetimes = new Lifetimes();
  const presenter = await createPresenter(context);
  try {
    const watch = new OriginWatch(target, (reason) => presenter.showOrigin(targetText(target), reason));
    lifetimes.defer(() => watch[Symbol.dispose]());
    let lastError: GiraffeError | undefined;
    const listener = (event: AgentEvent) => {
      if (event.type === 'reconnecting') lastError = event.error;
      if (event.type === 'origin') watch.report(event.error?.code);
      presenter.show(event);
    };
    const signals = listenForSignals();
    lifetimes.defer(() => signals[Symbol.dispose]());
    const agent = lifetimes.use(startAgent(options, listener));
    const start = await firstOf(agent, signals.first, settings.timeout);
    if (start.kind === 'late') throw lateError(settings, lastError);
    if (start.kind === 'signal') return await end(agent, 0, signalExit[start.signal]);
    void watch.start();
    const outcome = await Promise.race([signals.first, agent.closed]);
    if (outcome instanceof GiraffeError) throw outcome;
    presenter.showDraining(settings.drainTimeout);
    return await end(agent, settings.drainTimeout, 0);
  } finally {
    await lifetimes[Symbol.asyncDispose]();
    await presenter.settled();
  }
}

type Start =
  | { readonly kind: 'ready' }
  | { readonly kind: 'late' }
  | { readonly kind: 'signal'; readonly signal: EndSignal };

/** Waits for whatever comes first: the tunnel serves, the time is up, a signal. Rejects when the edge refuses for good. */
async function firstOf(agent: Agent, signal: Promise<EndSignal>, timeoutMs: number | undefined): Promise<Start> {
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

async function end(agent: Agent, drainMs: number, status: number): Promise<number> {
  await agent.drain(drainMs);
  return status;
}

/** The reason of the last attempt says more than "too late", unless it would have another exit status. */
function lateError({ timeout, server }: AgentSettings, last: GiraffeError | undefined): GiraffeError {
  const code = last?.entry.exit === 6 ? last.code : 'GIR_ERR_EDGE_UNREACHABLE';
  const why = last === undefined ? 'no attempt has ended yet' : last.message;
  return new GiraffeError(code, `no tunnel to ${serverText(server)} within ${timeout} ms: ${why}`, { cause: last });
}

async function agentOptions({ settings, environment }: AgentHostContext, target: Target): Promise<AgentOptions> {
  const { domain, server, tunnelPort, transport } = settings;
  const stateDir = settings.stateDir ?? defaultStateDir(environment);
  return {
    tunnels: [{ domain, target }],
    server: { host: server.host, grpcPort: server.port, tunnelPort },
    token: await findToken(settings, { stateDir, readStdin }),
    trust: await findTrust(settings, stateDir),
    transport,
    hostHeader: hostHeaderOf(settings.hostHeader),
    logger: createLogger(settings).logger,
  };
}

function hostHeaderOf(text: string): HostHeader {
  return text === 'preserve' || text === 'rewrite' ? text : { value: text };
}

async function createPresenter({ json, output, settings }: AgentHostContext): Promise<AgentPresenter> {
  if (json) return createJsonPresenter(output);
  const [{ HumanPresenter }, { StartupList }] = await Promise.all([
    import('./human-presenter.ts'),
    import('./startup-list.ts'),
  ]);
  const list = new StartupList(process.stderr, output.isInteractive);
  return new HumanPresenter({ output, list, transport: settings.transport, server: serverText(settings.server) });
}

function warn({ settings, isTokenVisible, output }: AgentHostContext): void {
  if (isTokenVisible) {
    output.err(
      'Warning: others on this machine can read --token in the process list; GIRAFFE_TOKEN, --token-file and --token - hide it.',
    );
  }
  if (settings.insecure) {
    output.err(
      "Warning: --insecure does not verify the edge's certificate: anybody in between can read and change everything.",
    );
  }
}

function serverText({ host, port }: AgentSettings['server']): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
