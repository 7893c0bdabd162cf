/**
 * A lock between processes for the short read-change-write of one state file.
 *
 * Node offers no flock, so it is a symbolic link to its owner's name: made in one
 * step, it never lacks an owner. The lock of a dead owner is broken by whoever
 * first claims that very lock (the claim is a lock too), so that nobody ever
 * removes a lock newer than the one found dead.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { FileSystem } from './file-system.ts';
import { stateError, systemCode } from './state-error.ts';
import { createMark, forgetMark, isWriterAlive } from './writer.ts';

/** A lock is held for milliseconds; one this old is broken even if its owner cannot be judged. */
const maxLockAgeMs = 10_000;
/** Three times `maxLockAgeMs`, so that an abandoned lock is outlived, and then another one. */
const maxWaitMs = 30_000;
const retryDelayMs = 10;
/** A claim on a claim on a claim …: each needs another process to die in the same instant. */
const maxClaimDepth = 4;
/** How a file system without symbolic links, or Windows without the privilege, answers. */
const noSymlinks = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL']);

/**
 * Runs `work` while this process alone holds the lock at `path`.
 *
 * @throws {GiraffeError} GIR_ERR_STATE when the lock cannot be written, or is held for more than 30 s.
 */
export async function withFileLock<T>(fs: FileSystem, path: string, work: () => Promise<T>): Promise<T> {
  const release = await acquire(fs, path);
  try {
    return await work();
  } finally {
    await release();
  }
}

type Release = () => Promise<void>;

async function acquire(fs: FileSystem, path: string): Promise<Release> {
  const deadline = performance.now() + maxWaitMs;
  for (;;) {
    const release = await tryAcquire(fs, path, 0);
    if (release !== undefined) return release;
    if (deadline < performance.now()) {
      throw new GiraffeError(
        'GIR_ERR_STATE',
        `cannot lock ${path}: another process has held it for more than ${maxWaitMs / 1000} s. ` +
          'Stop that process, or remove the file if no giraffe runs.',
      );
    }
    await delay(retryDelayMs * (1 + Math.random()));
  }
}

async function tryAcquire(fs: FileSystem, path: string, depth: number): Promise<Release | undefined> {
  const mark = createMark();
  try {
    if (await createOwned(fs, path, mark)) return () => releaseLock(fs, path, mark);
    if (depth < maxClaimDepth) await breakIfDead(fs, path, depth);
  } catch (error) {
    forgetMark(mark);
    throw stateError('lock', path, error);
  }
  forgetMark(mark);
  return undefined;
}

/** Returns false when the lock exists. */
async function createOwned(fs: FileSystem, path: string, mark: string): Promise<boolean> {
  const owner = `${hostname()} ${process.pid} ${mark}`;
  try {
    await fs.symlink(owner, path);
    return true;
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code === 'EEXIST') return false;
    if (!noSymlinks.has(code)) throw error;
    return createOwnedFile(fs, path, owner);
  }
}

/** The second best: killed between making the file and naming its owner, a process leaves a lock only age can judge. */
async function createOwnedFile(fs: FileSystem, path: string, owner: string): Promise<boolean> {
  let handle: Awaited<ReturnType<FileSystem['open']>>;
  try {
    handle = await fs.open(path, 'wx', 0o600);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    await handle.writeFile(owner);
    return true;
  } catch (error) {
    await fs.unlink(path).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
}

async function releaseLock(fs: FileSystem, path: string, mark: string): Promise<void> {
  const found = await readLock(fs, path);
  if (found?.id === mark) await fs.unlink(path).catch(() => undefined);
  forgetMark(mark);
}

async function breakIfDead(fs: FileSystem, path: string, depth: number): Promise<void> {
  const found = await readLock(fs, path);
  if (found === undefined || !found.dead) return;
  const claim = await tryAcquire(fs, join(path, '..', `.${found.id}.claim.lock`), depth + 1);
  if (claim === undefined) return;
  try {
    // Only the holder of the claim on this id removes it, so it cannot change between look and unlink.
    const again = await readLock(fs, path);
    if (again?.id === found.id && again.dead) await fs.unlink(path);
  } finally {
    await claim();
  }
}

/** What stands at a lock's path: an id no other lock has, and whether its owner is gone. Undefined: nothing. */
async function readLock(fs: FileSystem, path: string): Promise<{ id: string; dead: boolean } | undefined> {
  try {
    const found = await fs.lstat(path);
    const { ino, mtimeMs } = found;
    const text = found.isSymbolicLink() ? await fs.readlink(path) : await fs.readFile(path, 'latin1');
    const old = maxLockAgeMs < Math.abs(Date.now() - mtimeMs);
    const owner = /^(\S+) (\d+) ([0-9a-f]{16})$/.exec(text);
    if (owner === null) return { id: `${ino}-${Math.trunc(mtimeMs)}`, dead: old };
    const [, host, pid, mark = ''] = owner;
    return { id: mark, dead: old || (host === hostname() && !isWriterAlive(Number(pid), mark)) };
  } catch (error) {
    const code = systemCode(error);
    // Gone, or in the meantime another one of the other kind.
    if (code === 'ENOENT' || code === 'EINVAL') return undefined;
    throw error;
  }
}
