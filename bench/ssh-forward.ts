/** A peer for comparison: `ssh -R`, a tunnel in C that forwards octets, where OpenSSH's client and server are installed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../test/support/free-port.ts';
import type { Running } from './processes.ts';

const sshd = '/usr/sbin/sshd';

/** A forward that is up. */
export interface SshForward {
  /** Where the server listens for the client's service. */
  readonly port: number;
  /** The server, whose children do the work, and the client. */
  readonly processes: readonly Running[];
}

/**
 * Starts a server of its own on loopback, with keys of its own in `folder`, and a client that forwards a port of it to
 * `originPort`. Undefined where OpenSSH is not installed, or may not be started by this user.
 */
export async function startSshForward(folder: string, originPort: string): Promise<SshForward | undefined> {
  try {
    accessSync(sshd, constants.X_OK);
  } catch {
    return undefined;
  }
  const hostKey = join(folder, 'ssh-host-key');
  const userKey = join(folder, 'ssh-user-key');
  for (const key of [hostKey, userKey]) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const [port, forwardedPort] = [await freePort(), await freePort()];
  const options = {
    ListenAddress: `127.0.0.1:${port}`,
    HostKey: hostKey,
    AuthorizedKeysFile: `${userKey}.pub`,
    PidFile: 'none',
    StrictModes: 'no',
    UsePAM: 'no',
  };
  const config = join(folder, 'sshd_config');
  writeFileSync(
    config,
    Object.entries(options)
      .map((option) => `${option.join(' ')}\n`)
      .join(''),
  );
  const server = spawn(sshd, ['-D', '-e', '-f', config], { stdio: 'ignore' });
  const isServing = await accepts(port, server);
  if (!isServing) return undefined;
  const client = spawn(
    'ssh',
    [
      ...[
        '-N',
        '-F',
        'none',
        '-i',
        userKey,
        '-p',
        String(port),
        '-R',
        `127.0.0.1:${forwardedPort}:127.0.0.1:${originPort}`,
      ],
      ...[
        '-o',
        'BatchMode=yes',
        '-o',
        'StrictHostKeyChecking=no',
        '-o',
        'UserKnownHostsFile=/dev/null',
        '-o',
        'ExitOnForwardFailure=yes',
      ],
      `${userInfo().username}@127.0.0.1`,
    ],
    { stdio: 'ignore' },
  );
  const processes = [
    { name: 'sshd', child: server, firstLine: '' },
    { name: 'ssh', child: client, firstLine: '' },
  ];
  return (await accepts(forwardedPort, client)) ? { port: forwardedPort, processes } : undefined;
}

/** Waits until a port is served; false when the process that should has ended. */
async function accepts(port: number, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return true;
    await sleep(50);
  }
  return false;
}
