/**
 * Words a failure of the state folder: which path, why, and the next step.
 *
 * Takes the system's error code, never the content of a file, so no secret can get into a message.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';

const freeSpace = 'Free some space on that disk, or pass another --state-dir.';
const checkOwner = 'Check the owner and mode of the path, or pass another --state-dir.';
const checkDisk = 'Check the disk and the system log, or pass another --state-dir.';
const notFolder = 'Something that is no folder stands in the way: move it, or pass another --state-dir.';

const nextSteps: Readonly<Record<string, string>> = {
  ENOSPC: freeSpace,
  EDQUOT: freeSpace,
  EFBIG: freeSpace,
  EACCES: checkOwner,
  EPERM: checkOwner,
  EROFS: 'The file system is read-only: mount it writable, or pass another --state-dir.',
  EIO: checkDisk,
  ENOTDIR: notFolder,
  EEXIST: notFolder,
  ELOOP: 'A symbolic link stands in its place: look who has put it there, and remove it.',
  ENOENT: 'The folder is gone, or none can be made at this place: restart giraffe, or pass another --state-dir.',
  EMFILE: 'Raise the limit on open files (ulimit -n).',
  ENFILE: 'The system is out of open files: close programs, or raise its limit.',
};

/** Returns the system's code of a failed file operation, such as `ENOENT`; undefined for any other value. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Returns a GIR_ERR_STATE that names the path, the cause and the next step.
 *
 * @param action What was tried, to follow "cannot", for example `write`.
 * @param error What the file system threw. A GiraffeError is returned as it is.
 */
export function stateError(action: string, path: string, error: unknown): GiraffeError {
  if (error instanceof GiraffeError) return error;
  const code = systemCode(error) ?? '';
  const cause = error instanceof Error ? error.message : String(error);
  const next = nextSteps[code] ?? 'Check the state folder, or pass another --state-dir.';
  return new GiraffeError('GIR_ERR_STATE', `cannot ${action} ${path}: ${cause}. ${next}`, { cause: error });
}
