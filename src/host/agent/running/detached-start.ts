/**
 * Starts an agent that stays when this process ends: in a session of its own, with a log file in the state folder.
 *
 * Returns when the agent is ready, or throws what the agent itself would have said. The token reaches it by a pipe or by
 * the environment, never on its command line.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, type FileHandle, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentMode } from '../../../agent/agent-options.ts';
import { AgentFigures } from '../../../agent/figures.ts';
import { ConfigError } from '../../../config/config-error.ts';
import type { FlagValues } from '../../../config/setting.ts';
import { isErrorCode } from '../../../errors/codes.ts';
import { GiraffeError } from '../../../errors/giraffe-error.ts';
import { agentsFolder } from '../../../state/running-agents.ts';
import { stateError } from '../../../state/state-error.ts';
import { defaultStateDir, openStateFolder } from '../../../state/state-folder.ts';
import { silentLogger } from '../../../telemetry/logger.ts';
import { stdinReader } from '../../credentials/stdin-text.ts';
import { type EndSignal, listenForSignals, signalExit } from '../../lifecycle/shutdown-signals.ts';
import { readAgentConfig } from '../../settings/program-config.ts';
import { writeEvent } from '../../terminal/output.ts';
import { printable } from '../../terminal/printable.ts';
import type { AgentHostContext } from '../agent-host.ts';
import { agentOptionsOf } from '../agent-options-of.ts';
import { warnOfSettings } from '../agent-warnings.ts';
import { type DetachedMessage, detachedVariable } from './detached-parent.ts';

/** A log that is longer than this at the start of an agent is put aside, in octets. */
const maxLogLength = 10 * 1024 * 1024;

/** What the agent's `ready` tells, as far as it is shown. */
interface ReadyFields {
  readonly mode: AgentMode;
  readonly reason?: string;
  readonly tunnels: readonly { readonly domain: string; readonly url: string }[];
}

/**
 * Starts the agent and returns the exit status: 0 once it is ready, or that of a signal, with which the agent ends, too.
 *
 * @throws {GiraffeError} Why the agent cannot be ready; GIR_ERR_USAGE with a command; GIR_ERR_STATE without a log file.
 */
export async function startDetached(context: AgentHostContext): Promise<number> {
  const { input, target, command, output, json } = context;
  if (command !== undefined) {
    throw new GiraffeError('GIR_ERR_USAGE', '--detach returns at once, so nobody would wait for the command behind --');
  }
  const config = await readAgentConfig(input);
  const { settings } = config;
  const readStdin = stdinReader();
  // Whatever is wrong with the settings is told here, where people see it.
  const surroundings = {
    target,
    environment: input.environment,
    logger: silentLogger,
    figures: new AgentFigures(),
    readStdin,
  };
  const started = await agentOptionsOf(config, surroundings);
  if (!json) warnOfSettings(context, config, started);

  const stateDir = settings.stateDir ?? defaultStateDir(input.environment);
  const logFile = settings.logFile ?? (await logFileFor(stateDir, settings.domain ?? target ?? String(settings.port)));
  // A link that somebody chose as --log-file may lead on; one in the state folder was put there by somebody else.
  const log = await openLog(logFile, settings.logFile === undefined ? constants.O_NOFOLLOW : 0);
  const token = input.flags['token'] === undefined ? undefined : started.token;
  const agent = spawnAgent(context, { token, logFile, log });
  try {
    const outcome = await outcomeOf(agent, logFile);
    if (typeof outcome === 'string') return signalExit[outcome];
    const fields = { ...outcome, pid: agent.pid, logFile };
    if (json) writeEvent(output, 'ready', fields);
    else await tell(context, fields);
    return 0;
  } finally {
    await log.close();
  }
}

/** One file for each thing that is tunnelled, so that there are not more and more of them. */
async function logFileFor(stateDir: string, what: string): Promise<string> {
  await (await openStateFolder(stateDir))[Symbol.asyncDispose]();
  await using folder = await openStateFolder(join(stateDir, agentsFolder));
  return join(folder.path, `${what.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 100)}.log`);
}

/** @param flags Further flags of open(2). */
async function openLog(path: string, flags: number): Promise<FileHandle> {
  try {
    const length = await stat(path).then(
      ({ size }) => size,
      () => 0,
    );
    if (maxLogLength < length) await rename(path, `${path}.old`);
    return await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | flags, 0o600);
  } catch (error) {
    throw stateError('write', path, error);
  }
}

interface SpawnOptions {
  /** What goes through a pipe, when it was on our own command line or stdin. */
  readonly token: string | undefined;
  readonly logFile: string;
  readonly log: FileHandle;
}

function spawnAgent({ input, target }: AgentHostContext, { token, logFile, log }: SpawnOptions): ChildProcess {
  const flags = { ...input.flags, ...(token === undefined ? {} : { token: '-' }), detach: undefined, qr: undefined };
  const words = ['tunnel', ...(target === undefined ? [] : [target]), ...wordsOf(flags)];
  const agent = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...words], {
    env: { ...input.environment, [detachedVariable]: logFile },
    stdio: [token === undefined ? 'ignore' : 'pipe', log.fd, log.fd, 'ipc'],
    detached: true,
  });
  // An agent that ends before it has read its token says why by itself.
  agent.stdin?.on('error', () => undefined);
  agent.stdin?.end(token);
  return agent;
}

function wordsOf(flags: FlagValues): string[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined || value === false || name === 'json') return [];
    if (value === true) return [`--${name}`];
    return (typeof value === 'string' ? [value] : value).map((one) => `--${name}=${one}`);
  });
}

/** Returns what the agent tells when it is ready, or the signal that has ended us both. Throws why it has failed. */
async function outcomeOf(agent: ChildProcess, logFile: string): Promise<ReadyFields | EndSignal> {
  using signals = listenForSignals();
  const message = once(agent, 'message').then(([said]) => said as DetachedMessage);
  const exit = once(agent, 'exit').then(
    ([code, signal]) => ({ type: 'exit', status: String(signal ?? code) }) as const,
  );
  const first = await Promise.race([message, exit, signals.first]);
  if (typeof first === 'string') {
    agent.kill(first);
    await exit;
    return first;
  }
  if (first.type === 'ready') {
    agent.unref();
    return first.fields as ReadyFields;
  }
  if (first.type === 'exit') {
    throw new GiraffeError(
      'GIR_ERR_INTERNAL',
      `the agent ended with ${first.status} before it was ready; ${logFile} may tell why`,
    );
  }
  await exit;
  const { code, message: detail, problems, fix } = first;
  const known = isErrorCode(code) ? code : 'GIR_ERR_INTERNAL';
  throw problems.length > 0 ? new ConfigError([...problems], known) : new GiraffeError(known, detail, { fix });
}

async function tell(
  { input, output }: AgentHostContext,
  fields: ReadyFields & { pid: number | undefined; logFile: string },
) {
  const { mode, reason, tunnels, pid, logFile } = fields;
  const name = tunnels.length === 1 ? tunnels[0]?.domain : pid;
  const { modeLine } = await import('../presenters/human-presenter.ts');
  output.err(modeLine(mode, reason));
  output.err(printable(`The agent stays in the background, process ${pid}; it logs to ${logFile}.`));
  output.err(printable(`\`giraffe tunnel stop ${name}\` ends it.`));
  for (const { url } of tunnels) output.out(printable(url));
  if (input.flags['qr'] !== true) return;
  const { qrCodeOf } = await import('../../terminal/qr-code.ts');
  for (const { url } of tunnels) output.err(qrCodeOf(url));
}
