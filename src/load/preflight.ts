/** Finds out where a URL leads before a load begins: one name look-up and one connection, so that neither is measured. */

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { durationText } from '../errors/duration-text.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { isLoopbackName } from '../http/loopback.ts';
import { type Address, openSocket, type TlsSettings } from './http-caller.ts';
import type { LoadTarget } from './load-target.ts';

/** How certificates are checked. */
export type TrustSettings = Pick<TlsSettings, 'ca' | 'isVerified'>;

/**
 * Returns the first address of the target that takes a connection, TLS included.
 *
 * @throws {GiraffeError} GIR_ERR_LOAD_TARGET with what the last one said.
 */
export async function reachTarget(target: LoadTarget, trust: TrustSettings, timeoutMs: number): Promise<Address> {
  let problem = 'the name has no address';
  for (const address of await addressesOf(target)) {
    const candidate: Address = {
      address,
      port: target.port,
      tls: target.tls ? { ...trust, serverName: isIP(target.host) === 0 ? target.host : undefined } : undefined,
    };
    const failure = await tryAddress(candidate, timeoutMs);
    if (failure === undefined) return candidate;
    problem = failure;
  }
  throw new GiraffeError('GIR_ERR_LOAD_TARGET', `nothing to load at ${target.url}: ${problem}`);
}

async function addressesOf({ host, url }: LoadTarget): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  if (isLoopbackName(host)) return ['127.0.0.1', '::1'];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (cause) {
    throw new GiraffeError('GIR_ERR_LOAD_TARGET', `${url} cannot be loaded: ${(cause as Error).message}`, { cause });
  }
}

/** Returns what was wrong; undefined when a connection came about. */
function tryAddress(address: Address, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = openSocket(address);
    const end = (problem: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(problem);
    };
    const timer = setTimeout(() => end(`no connection within ${durationText(timeoutMs)}`), timeoutMs);
    socket.on('error', (error) => end(error.message));
    socket.on('close', () => end('the connection was closed at once'));
    socket.once(address.tls === undefined ? 'connect' : 'secureConnect', () => end(undefined));
  });
}
