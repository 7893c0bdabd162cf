/** The repository's own files, for tests that compare them with each other. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Returns the text of a file, by its path in the repository. */
export function readText(path: string): string {
  return readFileSync(`${root}${path}`, 'utf8');
}

/** Returns the paths of all files below a folder that end in `extension`, in order. */
export function filesBelow(folder: string, extension: string): string[] {
  const entries = readdirSync(`${root}${folder}`, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length).replace(/^\//, ''))
    .filter((path) => !/(^|\/)(node_modules|dist|\.cache|coverage)\//.test(path))
    .sort();
}
