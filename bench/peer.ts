/** Another tunnel to compare with: how its processes are started, and when it serves. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ours } from '../scripts/started-processes.ts';
import type { Target } from './load.ts';
import type { Running } from './processes.ts';

/** Another tunnel that is up. */
export interface Peer {
  readonly name: string;
  readonly target: Target;
  /** Its public side, and the one beside the origin. */
  readonly processes: readonly Running[];
}

/** Starts a program that says nothing of use. */
export function startProgram(name: string, program: string, args: readonly string[]): Running {
  return { name, child: ours(spawn(program, args, { stdio: 'ignore' })), firstLine: '' };
}

/** Waits until a port is served; false when the process that should has ended. */
export async function whenListening({ child }: Running, port: number): Promise<boolean> {
  while (isRunning(child)) {
    if (await accepts(port)) return true;
    await sleep(50);
  }
  return false;
}

/** Waits until the peer passes a request on, and returns it; undefined when one of its processes has ended. */
export async function whenServing(peer: Peer): Promise<Peer | undefined> {
  while (peer.processes.every(({ child }) => isRunning(child))) {
    if (await serves(peer.target)) return peer;
    await sleep(50);
  }
  for (const { child } of peer.processes) child.kill();
  return undefined;
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}

function serves({ port, host }: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request({ host: '127.0.0.1', port, path: '/bytes/1', headers: { host }, agent: false });
    probe.on('error', () => resolve(false));
    probe.on('response', (response) => resolve(response.resume().statusCode === 200));
    probe.end();
  });
}
