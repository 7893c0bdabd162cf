/** A peer for comparison: `ssh -R`, a tunnel in C that forwards octets, where OpenSSH's client and server are installed. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../test/support/free-port.ts';
import { type Peer, startProgram, whenListening, whenServing } from './peer.ts';

const sshd = '/usr/sbin/sshd';

/**
 * Starts a server of its own on loopback, with keys of its own in `folder`, and a client that forwards a port of it to
 * `originPort`. Undefined where OpenSSH is not installed, or may not be started by this user.
 */
export async function startSshForward(folder: string, originPort: string): Promise<Peer | undefined> {
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
  const server = startProgram('sshd', sshd, ['-D', '-e', '-f', config]);
  if (!(await whenListening(server, port))) return undefined;
  const forward = `127.0.0.1:${forwardedPort}:127.0.0.1:${originPort}`;
  const clientOptions = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'no',
    UserKnownHostsFile: '/dev/null',
    ExitOnForwardFailure: 'yes',
  };
  const client = startProgram('ssh', 'ssh', [
    ...['-N', '-F', 'none', '-i', userKey, '-p', String(port), '-R', forward],
    ...Object.entries(clientOptions).flatMap((option) => ['-o', option.join('=')]),
    `${userInfo().username}@127.0.0.1`,
  ]);
  const target = { port: forwardedPort, host: 'localhost' };
  return whenServing({ name: 'ssh -R', target, processes: [server, client] });
}
