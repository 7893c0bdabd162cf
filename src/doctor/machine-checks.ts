/** Checks of this machine: Node.js, and the state folder with the modes of what is in it. */
import { chmod, lstat, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { openStateFolder } from '../state/state-folder.ts';
import { type Finding, failed, ok, warning } from './check.ts';
import type { StateSubject } from './subject.ts';

/** Lowest version that runs giraffe, and lowest major that still gets security fixes. */
const oldestNode = [20, 19] as const;
const oldestSupportedMajor = 22;
/** Entries of the state folder that are looked at; a sound one has a few dozen. */
const maxEntries = 1000;
/** Files that are named in one finding. */
const maxNamed = 3;

/** Judges a version of Node.js, such as `22.3.0`. Pure. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isTooOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
  if (isTooOld) return failed(`${version}, and giraffe needs ${oldestNode.join('.')} or newer`);
  if (major < oldestSupportedMajor) {
    return warning(`${version}, which is past its end of life`, 'Install Node.js 24; giraffe runs meanwhile.');
  }
  return ok(version);
}

/** Looks at the state folder. */
export async function checkStateFolder({ path, isNeeded }: StateSubject): Promise<Finding> {
  const folder = await lstat(path).catch((error: NodeJS.ErrnoException) => error);
  if (folder instanceof Error) return missingFolder(path, isNeeded, folder);
  const target = folder.isSymbolicLink() ? await readdir(path).catch(() => undefined) : [];
  if (target === undefined || !(folder.isDirectory() || folder.isSymbolicLink())) {
    return failed(`${path} is no folder`, 'Move it away, or pass another --state-dir.', 'GIR_ERR_STATE');
  }
  const uid = process.getuid?.();
  if (uid === undefined) return ok(path); // Windows: access lists, no modes.
  const open = await openEntries(path);
  if (open.foreign !== undefined) {
    return failed(
      `${open.foreign} belongs to another user`,
      `Run giraffe as the owner, or give it to this user: chown -R ${uid} ${path}`,
      'GIR_ERR_STATE',
    );
  }
  if (open.paths.length === 0) return ok(path);
  const names = open.paths.slice(0, maxNamed).map((entry) => relative(path, entry) || path);
  const more = open.paths.length > maxNamed ? ` and ${open.paths.length - maxNamed} more` : '';
  return {
    ...failed(`others on this machine can read ${names.join(', ')}${more}`, undefined, 'GIR_ERR_STATE'),
    // What can be read too widely can still be used: nothing else becomes meaningless.
    blocks: false,
    repair: () => closeEntries(open.paths),
  };
}

function missingFolder(path: string, isNeeded: boolean, error: NodeJS.ErrnoException): Finding {
  if (error.code !== 'ENOENT') return failed(`${path} cannot be read (${error.code})`, undefined, 'GIR_ERR_STATE');
  if (!isNeeded) return ok('there is none, and nothing here needs one');
  return {
    ...warning(
      `${path} is not there`,
      'Run `giraffe server start`, which makes it, or pass the --state-dir of the edge; --fix makes an empty one.',
    ),
    blocks: true,
    repair: async () => {
      await using folder = await openStateFolder(path);
      return `made ${folder.path}`;
    },
  };
}

/** Returns what in the folder is open to others, and the first thing that is another user's. */
async function openEntries(path: string): Promise<{ paths: string[]; foreign: string | undefined }> {
  const entries = await readdir(path, { recursive: true });
  const paths: string[] = [];
  let foreign: string | undefined;
  for (const entry of [path, ...entries.slice(0, maxEntries).map((name) => join(path, name))]) {
    const found = await lstat(entry).catch(() => undefined);
    // A lock is a symbolic link, whose mode means nothing.
    if (found === undefined || found.isSymbolicLink()) continue;
    if (found.uid !== process.getuid?.()) foreign ??= entry;
    if ((found.mode & 0o077) !== 0) paths.push(entry);
  }
  return { paths, foreign };
}

async function closeEntries(paths: readonly string[]): Promise<string> {
  for (const path of paths) await chmod(path, (await lstat(path)).isDirectory() ? 0o700 : 0o600);
  return `took the access of others away from ${paths.length === 1 ? paths[0] : `${paths.length} files`}`;
}
