/** Decides which service a tunnel leads to, from TARGET and --port, and looks once whether it is there. */
import { connect } from 'node:net';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { parseTarget, type Target, targetText } from '../../http/target.ts';

/** Time for a service on this machine to accept a connection, in milliseconds. */
const probeTimeoutMs = 2_000;

/**
 * Returns the target of a tunnel.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE when there is none, two that differ, or one that cannot be read.
 */
export function tunnelTarget(argument: string | undefined, port: number | undefined): Target {
  if (argument === undefined && port === undefined) {
    throw new GiraffeError(
      'GIR_ERR_USAGE',
      'no target: give TARGET (3000, host:3000, http://host:3000, unix:/path) or --port',
    );
  }
  const targets = [argument, port?.toString()].filter((text) => text !== undefined).map(parseTarget);
  const [target, other] = targets;
  if (target === undefined || (other !== undefined && targetText(other) !== targetText(target))) {
    throw new GiraffeError(
      'GIR_ERR_USAGE',
      `TARGET ${argument} and --port ${port} are different services; give one of them`,
    );
  }
  return target;
}

/** Connects to a target and closes at once. Returns why it cannot be reached, as Node's error code; undefined when it can. */
export function probeTarget(target: Target, timeoutMs = probeTimeoutMs): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = target.kind === 'unix' ? connect(target.path) : connect(target.port, target.host);
    const end = (reason: string | undefined) => {
      socket.destroy();
      resolve(reason);
    };
    socket.setTimeout(timeoutMs, () => end('ETIMEDOUT'));
    socket.once('connect', () => end(undefined));
    socket.on('error', (error) => end('code' in error ? String(error.code) : error.message));
  });
}
