/**
 * Looks at an origin once: can it be connected to, and if a path is given, does it answer with a status below 400.
 */

import type { Socket } from 'node:net';
import { durationText } from '../errors/duration-text.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { targetAuthority, targetText } from '../http/target.ts';
import { connectFailure } from './origin-error.ts';
import type { OriginDialer } from './origin-socket.ts';

/** A status line is in the first octets, or it is none. */
const maxStatusLineBytes = 1024;

/**
 * Resolves with what is wrong; undefined when nothing is.
 * @param path Path of a GET; undefined only connects.
 * @param timeoutMs Time for all of it, in milliseconds.
 */
export function probeOrigin(
  dialer: OriginDialer,
  path: string | undefined,
  timeoutMs: number,
): Promise<GiraffeError | undefined> {
  const { target } = dialer;
  const { isTls } = dialer;
  const name = targetText(target);
  return new Promise((resolve) => {
    const socket = dialer.dial();
    let isConnected = false;
    const finish = (error: GiraffeError | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(error);
    };
    const timer = setTimeout(() => finish(late(isConnected, name, timeoutMs)), timeoutMs);
    socket.on('error', (error) => {
      finish(isConnected ? unhealthy(`${name}: ${error.message}`) : connectFailure(error, isTls ? 'tls' : 'tcp', name));
    });
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      isConnected = true;
      dialer.connected(socket);
      if (path === undefined) return finish(undefined);
      ask(socket, targetAuthority(target), path, (status) =>
        finish(status < 400 ? undefined : unhealthy(`${name}${path}: ${told(status)}`)),
      );
    });
  });
}

/** How a request of our own is made. */
export interface StatusQuestion {
  /** Value of Host. */
  readonly host: string;
  /** Time for all of it, in milliseconds. */
  readonly timeoutMs: number;
}

/** Resolves with the status that a GET is answered with; undefined when there is no answer. */
export function statusOf(
  dialer: OriginDialer,
  path: string,
  { host, timeoutMs }: StatusQuestion,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = dialer.dial();
    const finish = (status: number | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(status === noStatus ? undefined : status);
    };
    const timer = setTimeout(() => finish(undefined), timeoutMs);
    socket.on('error', () => finish(undefined));
    socket.once(dialer.isTls ? 'secureConnect' : 'connect', () => ask(socket, host, path, finish));
  });
}

/** Sends a GET and calls `onStatus` with the status of the answer; with {@link noStatus} when it is none. */
function ask(socket: Socket, host: string, path: string, onStatus: (status: number) => void): void {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    const status = /^HTTP\/1\.[01] ([1-5][0-9]{2})[ \r]/.exec(text)?.[1];
    if (status !== undefined) onStatus(Number(status));
    else if (text.length > maxStatusLineBytes) onStatus(noStatus);
  });
  socket.on('end', () => onStatus(noStatus));
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: giraffe-health\r\nConnection: close\r\n\r\n`);
}

const noStatus = 999;

function told(status: number): string {
  return status === noStatus ? 'no HTTP answer' : `status ${status}`;
}

function late(isConnected: boolean, name: string, timeoutMs: number): GiraffeError {
  const detail = `${name}: nothing within ${durationText(timeoutMs)}`;
  return isConnected ? unhealthy(detail) : new GiraffeError('GIR_ERR_ORIGIN_CONNECT_TIMEOUT', detail);
}

function unhealthy(detail: string): GiraffeError {
  return new GiraffeError('GIR_ERR_ORIGIN_UNHEALTHY', detail);
}
