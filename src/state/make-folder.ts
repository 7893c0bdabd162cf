/**
 * Makes a folder and those above it.
 *
 * Not by mkdir's own `recursive`: where the system answers ENOENT although the folder above is there, as below /proc,
 * Node (up to 24 at least) tries for ever.
 */
import { dirname } from 'node:path';
import type { FileSystem } from './file-system.ts';
import { systemCode } from './state-error.ts';

/**
 * Makes what is missing of an absolute path, with mode 0700, and returns the uppermost folder that it made; undefined when
 * all was there.
 *
 * @throws The system's error; EEXIST or ENOTDIR when something that is no folder stands in the way.
 */
export async function makeFolder(fs: Pick<FileSystem, 'mkdir' | 'stat'>, path: string): Promise<string | undefined> {
  const parent = dirname(path);
  try {
    await fs.mkdir(path, { mode: 0o700 });
    return path;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST' && (await fs.stat(path)).isDirectory()) return undefined;
    if (code !== 'ENOENT' || path === parent) throw error;
  }
  const firstMade = await makeFolder(fs, parent);
  // When the folder above was there all the time, the system says ENOENT for another reason, and says it again.
  await fs.mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (systemCode(error) !== 'EEXIST') throw error;
  });
  return firstMade ?? path;
}
