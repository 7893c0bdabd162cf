/** Wrapper mode: an agent for as long as a command runs, and what that command is told of the tunnel. */
import type { Environment } from '../../../config/env.ts';
import type { GiraffeError } from '../../../errors/giraffe-error.ts';
import { isLoopbackName } from '../../../http/loopback.ts';
import { listenForSignals, type ShutdownSignals } from '../../lifecycle/shutdown-signals.ts';
import { nodeOptionsWithLocalhost, resolves } from '../../network/localhost-names.ts';
import type { AgentPresenter } from '../presenters/agent-presenter.ts';
import { type PublicTunnel, trustedTunnels, tunnelVariables } from '../readiness/tunnel-variables.ts';
import type { ReplaceableAgent } from '../replaceable-agent.ts';
import { type CommandWords, WrappedCommand } from './wrapped-command.ts';

/** What a command is run with. */
export interface CommandContext {
  readonly environment: Environment;
  readonly tunnels: readonly PublicTunnel[];
  readonly presenter: AgentPresenter;
  readonly agent: Pick<ReplaceableAgent, 'closed' | 'drain'>;
  /** Signals so far; from its start on the command gets them. */
  readonly signals: ShutdownSignals;
  /** Resolves when --max-lifetime is over. */
  readonly lifetime: Promise<number>;
  /** Returns the time for what is in flight at the end, in milliseconds. */
  drainMs(): number;
}

/**
 * Runs a command while the tunnel serves, then ends the tunnel, and returns the exit status of the command.
 *
 * @throws {GiraffeError} GIR_ERR_COMMAND_UNKNOWN or GIR_ERR_COMMAND_REFUSED when it cannot be run; the refusal, once it has
 *   been ended, when the edge refuses the agent meanwhile.
 */
export async function accompany(words: CommandWords, context: CommandContext): Promise<number> {
  const { tunnels, presenter, agent, signals, lifetime, drainMs } = context;
  // Nothing of ours is drawn on a terminal that is the command's from now on.
  await presenter.settled();
  const environment = await commandEnvironment(context, trustedTunnels(tunnels));
  // In one go with the start, so that no signal finds nobody waiting for it.
  signals[Symbol.dispose]();
  const command = await WrappedCommand.start(words, environment);
  let refusal: GiraffeError | undefined;
  void agent.closed.then((error) => {
    refusal = error;
    command.stop();
  });
  void lifetime.then((lifetimeMs) => {
    presenter.showLifetimeOver(lifetimeMs);
    command.stop();
  });
  const status = await command.ended;
  if (refusal !== undefined) throw refusal;
  using impatience = listenForSignals();
  void impatience.first.then(() => agent.drain(0));
  await agent.drain(drainMs());
  return status;
}

async function commandEnvironment(
  { environment, presenter }: CommandContext,
  tunnels: readonly PublicTunnel[],
): Promise<Environment> {
  const variables = { ...environment, ...tunnelVariables(tunnels) };
  const name = tunnels.map(({ domain }) => domain).find(isLoopbackName);
  if (name === undefined || (await resolves(name))) return variables;
  presenter.showUnresolved(name);
  return { ...variables, NODE_OPTIONS: nodeOptionsWithLocalhost(environment['NODE_OPTIONS']) };
}
