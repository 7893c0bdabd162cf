/**
 * Replaces one file as a whole and durably, and sweeps up after writers that were killed.
 *
 * Decides nothing about content; the state folder calls it.
 */
import { join } from 'node:path';
import type { FileSystem } from './file-system.ts';
import { stateError } from './state-error.ts';
import { createMark, forgetMark, isWriterAlive } from './writer.ts';

/** Younger leftovers stay: their writer may run in another container, where its process id means nothing to us. */
const minLeftoverAgeMs = 60_000;
/** No write takes an hour; whoever holds that process id now is not its writer. */
const maxLeftoverAgeMs = 3_600_000;

const leftover = /^\..+\.(\d+)\.([0-9a-f]{16})\.tmp$/;
const claim = /^\..+\.claim\.lock$/;

/**
 * Writes `data` to a temporary file with mode 0600, flushes it, renames it over `name` and flushes the folder.
 *
 * When this returns, the new content survives a crash of the machine. When it throws,
 * `name` is whole: the old content, or the new one if only the last flush failed.
 *
 * @throws {GiraffeError} GIR_ERR_STATE.
 */
export async function writeAtomically(
  fs: FileSystem,
  folder: string,
  name: string,
  data: string | Uint8Array,
): Promise<void> {
  const mark = createMark();
  const temporary = join(folder, `.${name}.${process.pid}.${mark}.tmp`);
  try {
    const handle = await fs.open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, join(folder, name));
    await syncFolder(fs, folder);
  } catch (error) {
    await fs.unlink(temporary).catch(() => undefined);
    throw stateError('write', join(folder, name), error);
  } finally {
    forgetMark(mark);
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(fs: FileSystem, folder: string): Promise<void> {
  // Windows cannot open a folder; NTFS keeps a journal of names.
  if (process.platform === 'win32') return;
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes temporary files and claims that are old and whose writer is gone. A file that cannot be removed stays. */
export async function removeLeftovers(fs: FileSystem, folder: string): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    const found = leftover.exec(name);
    if (found === null && !claim.test(name)) continue;
    const path = join(folder, name);
    try {
      const ageMs = Date.now() - (await fs.lstat(path)).mtimeMs;
      const alive = found !== null && isWriterAlive(Number(found[1]), found[2] ?? '');
      if (maxLeftoverAgeMs < ageMs || (minLeftoverAgeMs < ageMs && !alive)) await fs.unlink(path);
    } catch {
      // Its writer finished or another process removed it in the meantime.
    }
  }
}
