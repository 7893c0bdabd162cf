/**
 * The file operations the state folder needs, as a port.
 *
 * There is one real implementation; tests wrap it to break a disk on purpose.
 */
import * as fs from 'node:fs/promises';

/** The part of `node:fs/promises` that the state folder uses. */
export type FileSystem = Pick<
  typeof fs,
  'chmod' | 'lstat' | 'mkdir' | 'open' | 'readFile' | 'readdir' | 'readlink' | 'rename' | 'stat' | 'symlink' | 'unlink'
>;

/** The real disk. */
export const nodeFileSystem: FileSystem = fs;
