/** Tells which programs of the system a test can use. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Whether all of `names` are on the PATH or, as Debian's servers are, in the folders of the administrator.
 *
 * For `describe.skipIf(!hasPrograms('nginx'))`: a fresh machine lacks them, and its tests are skipped. Where CI is set
 * they are installed before the tests, and a missing one is an error, so that nothing is skipped there in silence.
 */
export function hasPrograms(...names: readonly string[]): boolean {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length > 0 && process.env['CI'] === 'true') throw new Error(`not installed: ${missing.join(', ')}`);
  return missing.length === 0;
}

/** Whether a program is on the PATH or in the folders of the administrator. */
export function isInstalled(name: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
