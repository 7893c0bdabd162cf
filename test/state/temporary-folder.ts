/**
 * Temporary folders, opened state folders and broken disks for the tests of src/state.
 */
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { FileSystem } from '../../src/state/file-system.ts';
import { openStateFolder, type StateFolder } from '../../src/state/state-folder.ts';

/** Returns the path of a new folder that is removed when the test ends. */
export async function createTemporaryFolder(): Promise<string> {
  const path = await fs.mkdtemp(join(tmpdir(), 'giraffe-state-'));
  onTestFinished(() => fs.rm(path, { recursive: true, force: true }));
  return path;
}

/** Returns an open state folder and the messages of its warnings as they come. */
export async function openTemporaryFolder(
  path?: string,
  fileSystem?: FileSystem,
): Promise<{ folder: StateFolder; warnings: string[] }> {
  const warnings: string[] = [];
  const folder = await openStateFolder(path ?? join(await createTemporaryFolder(), 'state'), {
    onWarning: ({ message }) => warnings.push(message),
    ...(fileSystem === undefined ? {} : { fileSystem }),
  });
  onTestFinished(() => folder[Symbol.asyncDispose]());
  return { folder, warnings };
}

/** Where a broken disk fails: `write` after half of the data. */
export type BrokenStep = 'open' | 'write' | 'sync' | 'rename';

/** A disk that fails at `broken.step` with `broken.code`; both can change at any time. */
export function createBrokenDisk(broken: { step: BrokenStep | undefined; code: string }): FileSystem {
  const failure = () => Object.assign(new Error(`${broken.code}: broken by the test`), { code: broken.code });
  const openBroken = async (...args: Parameters<typeof fs.open>) => {
    const writing = args[1] === 'wx';
    if (writing && broken.step === 'open') throw failure();
    const handle = await fs.open(...args);
    const writeFile = handle.writeFile.bind(handle);
    const sync = handle.sync.bind(handle);
    handle.writeFile = async (data) => {
      if (broken.step !== 'write') return writeFile(data);
      await writeFile(String(data).slice(0, String(data).length / 2));
      throw failure();
    };
    handle.sync = async () => {
      if (writing && broken.step === 'sync') throw failure();
      return sync();
    };
    return handle;
  };
  const rename = async (from: string, to: string) => {
    if (broken.step === 'rename') throw failure();
    return fs.rename(from, to);
  };
  return { ...fs, open: openBroken, rename: rename as typeof fs.rename };
}
