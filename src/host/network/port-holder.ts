/**
 * Finds out which program listens on a TCP port, for a better error.
 *
 * Linux only, by /proc, and only as far as this user may look; anywhere else the answer is undefined. Tells the pid and
 * the program's name, or that of the script that it runs, and nothing more of its command line, which may hold a secret.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import type { PortHolder } from '../../doctor/subject.ts';

/** State of a listening socket in /proc/net/tcp: TCP_LISTEN of the kernel's tcp_states.h. */
const listenState = '0A';

/** Returns who listens on a port; undefined when that cannot be known. */
export function portHolder(port: number): PortHolder | undefined {
  try {
    const inodes = new Set(
      ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(readText(file), port)),
    );
    if (inodes.size === 0) return undefined;
    const pid = readdirSync('/proc').find((name) => /^[0-9]+$/.test(name) && holdsSocket(name, inodes));
    return pid === undefined ? undefined : { pid: Number(pid), program: programOf(pid) };
  } catch {
    return undefined;
  }
}

/** Returns the inodes of the sockets that listen on a port, from the text of /proc/net/tcp or tcp6. Pure. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    return local?.endsWith(suffix) && state === listenState && inode !== undefined ? [inode] : [];
  });
}

function holdsSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((descriptor) => {
      const inode = /^socket:\[([0-9]+)\]$/.exec(linkOf(`${folder}/${descriptor}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function programOf(pid: string): string {
  return (
    programName(readText(`/proc/${pid}/cmdline`).split('\0')) || readText(`/proc/${pid}/comm`).trim() || 'a program'
  );
}

/** Words of a command of ours that may be told. */
const ownWords: ReadonlySet<string> = new Set(['server', 'start', 'tunnel', 'bench', 'doctor']);

/**
 * Returns what a command line runs: `giraffe server start` for one of ours, `node vite.js` for a script, else the program.
 * Pure.
 *
 * @param own The script of this process.
 */
export function programName([program = '', ...words]: readonly string[], own = process.argv[1]): string {
  const name = basename(program);
  const at = words.findIndex((word) => !word.startsWith('-'));
  const script = words[at] ?? '';
  if (!/^(?:node|bun|deno|python[\d.]*|ruby)$/.test(name) || !/\/|\.[cm]?[jt]s$|\.py$|\.rb$/.test(script)) return name;
  if (script !== own && !/(?:^|\/)giraffe$|\/giraffe-tunnel\/bin\/run\.js$/.test(script))
    return `${name} ${basename(script)}`;
  const rest = words.slice(at + 1);
  const end = rest.findIndex((word) => !ownWords.has(word));
  return ['giraffe', ...rest.slice(0, end === -1 ? rest.length : end)].join(' ');
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
