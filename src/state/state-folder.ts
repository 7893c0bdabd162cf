/**
 * The folder in which giraffe keeps what must outlive a restart, and how files in it are read and replaced.
 *
 * Decides modes, atomicity, locking, and what becomes of a damaged file; not what the files say.
 */
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { removeLeftovers, syncFolder, writeAtomically } from './atomic-write.ts';
import { withFileLock } from './file-lock.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';
import { makeFolder } from './make-folder.ts';
import { stateError, systemCode } from './state-error.ts';

/** Something an operator should know, that did not stop anything. */
export interface StateWarning {
  /** Absolute path of the file or folder it is about. */
  readonly path: string;
  readonly message: string;
}

/** What to open a state folder with. */
export interface StateFolderOptions {
  /** Called for each warning. Default: warnings are dropped. */
  readonly onWarning?: (warning: StateWarning) => void;
  /** The disk. Default: the real one. */
  readonly fileSystem?: FileSystem;
}

/** How to tell a sound JSON file from a damaged one. */
export interface JsonFormat<T> {
  /** Highest `v` this release understands. */
  readonly version: number;
  /** Returns the value, or throws when `json` does not have the right shape. */
  readonly parse: (json: unknown) => T;
}

/** What was found at the place of a JSON file. */
export type JsonRead<T> =
  | { readonly status: 'sound'; readonly value: T }
  | { readonly status: 'missing' }
  | { readonly status: 'damaged'; readonly reason: string };

const fileName = /^[a-z0-9][a-z0-9.-]{0,99}$/;

/**
 * Returns the XDG state folder of giraffe: `$XDG_STATE_HOME/giraffe`, or `~/.local/state/giraffe`.
 *
 * A relative XDG_STATE_HOME is ignored, as the XDG specification asks.
 */
export function defaultStateDir(env: Readonly<Record<string, string | undefined>>): string {
  const stateHome = env['XDG_STATE_HOME'];
  if (stateHome !== undefined && isAbsolute(stateHome)) return join(stateHome, 'giraffe');
  const home = env['HOME'];
  return join(home === undefined || home === '' ? homedir() : home, '.local', 'state', 'giraffe');
}

/**
 * Opens the state folder, making it with mode 0700 if it is missing and tightening its mode if it is ours.
 *
 * @throws {GiraffeError} GIR_ERR_STATE when it cannot be made or used, or is a folder shared by all users.
 */
export async function openStateFolder(path: string, options: StateFolderOptions = {}): Promise<StateFolder> {
  const folder = resolve(path);
  const fs = options.fileSystem ?? nodeFileSystem;
  const onWarning = options.onWarning ?? (() => undefined);
  try {
    const firstMade = await makeFolder(fs, folder);
    if (firstMade !== undefined) await syncParents(fs, folder, resolve(firstMade));
    await assertPrivate(fs, folder, onWarning);
    await removeLeftovers(fs, folder);
  } catch (error) {
    throw stateError('open the state folder', folder, error);
  }
  return new StateFolder(folder, fs, onWarning);
}

async function syncParents(fs: FileSystem, folder: string, firstMade: string): Promise<void> {
  for (let made = folder; ; made = dirname(made)) {
    await syncFolder(fs, dirname(made));
    if (made === firstMade || made === dirname(made)) return;
  }
}

async function assertPrivate(fs: FileSystem, folder: string, warn: (warning: StateWarning) => void): Promise<void> {
  const uid = process.getuid?.();
  if (uid === undefined) return; // Windows: access lists, no modes.
  const found = await fs.stat(folder);
  if ((found.mode & 0o1000) !== 0 || folder === dirname(folder)) {
    throw new GiraffeError(
      'GIR_ERR_STATE',
      `cannot use ${folder} as the state folder: it is shared by all users. Pass a folder of its own, such as ${join(folder, 'giraffe')}.`,
    );
  }
  if ((found.mode & 0o077) === 0) return;
  if (found.uid === uid) await fs.chmod(folder, 0o700);
  else warn({ path: folder, message: `${folder} belongs to another user and is open to others: chmod 700 it` });
}

/** An open state folder. Files are named by lower-case letters, digits, dots and dashes. */
export class StateFolder implements AsyncDisposable {
  /** Absolute path. */
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #onWarning: (warning: StateWarning) => void;
  readonly #queues = new Map<string, Promise<unknown>>();
  #closed = false;

  /** Called by `openStateFolder`, which has made sure that the folder is there. */
  constructor(path: string, fs: FileSystem, onWarning: (warning: StateWarning) => void) {
    this.path = path;
    this.#fs = fs;
    this.#onWarning = onWarning;
  }

  /** Returns the absolute path of a file in the folder. */
  pathOf(name: string): string {
    if (!fileName.test(name)) throw new GiraffeError('GIR_ERR_INTERNAL', `${name} is no name for a state file`);
    return join(this.path, name);
  }

  /** Reports a warning about one of the files. */
  warn(name: string, message: string): void {
    this.#onWarning({ path: this.pathOf(name), message });
  }

  /** Returns the content of a file, or undefined when there is none. Throws GIR_ERR_STATE. */
  async readFile(name: string): Promise<Buffer | undefined> {
    const path = this.pathOf(name);
    try {
      return await this.#fs.readFile(path);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw stateError('read', path, error);
    }
  }

  /** Replaces a file atomically and durably, mode 0600; writes of one file happen in the order of the calls. Throws GIR_ERR_STATE. */
  async writeFile(name: string, data: string | Uint8Array): Promise<void> {
    const path = this.pathOf(name);
    this.#assertOpen(path);
    await this.#enqueue(`write ${name}`, () => writeAtomically(this.#fs, this.path, name, data));
  }

  /** Returns a text that differs whenever a file was replaced or changed; `missing` when there is none. Throws GIR_ERR_STATE. */
  async fileVersion(name: string): Promise<string> {
    const path = this.pathOf(name);
    try {
      const { ino, size, mtimeNs } = await this.#fs.stat(path, { bigint: true });
      return `${ino}-${size}-${mtimeNs}`;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return 'missing';
      throw stateError('read', path, error);
    }
  }

  /** Runs `work` while no other call and no other process is in `exclusive` for the same name. Not reentrant. Throws GIR_ERR_STATE. */
  async exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
    const path = this.pathOf(name);
    this.#assertOpen(path);
    const lock = join(this.path, `.${name}.lock`);
    return this.#enqueue(`lock ${name}`, () => withFileLock(this.#fs, lock, work));
  }

  /** Returns what a JSON file holds, without touching it. Throws GIR_ERR_STATE when it cannot be read or is of a newer release. */
  async inspectJson<T>(name: string, format: JsonFormat<T>): Promise<JsonRead<T>> {
    const data = await this.readFile(name);
    if (data === undefined) return { status: 'missing' };
    let json: unknown;
    try {
      json = JSON.parse(data.toString('utf8'));
    } catch {
      // The parser's message quotes the text, which may hold a secret.
      return { status: 'damaged', reason: 'it is not JSON' };
    }
    if (isNewer(json, format.version)) {
      throw new GiraffeError(
        'GIR_ERR_STATE',
        `cannot read ${this.pathOf(name)}: a newer giraffe wrote it. Update giraffe, or pass another --state-dir.`,
      );
    }
    try {
      return { status: 'sound', value: format.parse(json) };
    } catch {
      return { status: 'damaged', reason: 'it does not have the expected shape' };
    }
  }

  /** Returns the value in a JSON file; undefined when it is missing, or damaged and thus moved aside with a warning. Throws GIR_ERR_STATE. */
  async readJson<T>(name: string, format: JsonFormat<T>): Promise<T | undefined> {
    const read = await this.inspectJson(name, format);
    if (read.status === 'sound') return read.value;
    if (read.status === 'missing') return undefined;
    // Looked at again under the lock: another process may have repaired it by now.
    return this.exclusive(name, async () => {
      const again = await this.inspectJson(name, format);
      if (again.status === 'damaged') await this.moveAside(name, again.reason);
      return again.status === 'sound' ? again.value : undefined;
    });
  }

  /**
   * Reads a JSON file, lets `change` say what replaces it, and writes that, all under the lock of the file.
   *
   * @param change Gets what is there; a damaged file has been moved aside. Returns undefined to write nothing.
   * @returns What `change` returned.
   * @throws {GiraffeError} GIR_ERR_STATE.
   */
  async updateJson<T>(
    name: string,
    format: JsonFormat<T>,
    change: (read: JsonRead<T>) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    return this.exclusive(name, async () => {
      const read = await this.inspectJson(name, format);
      if (read.status === 'damaged') await this.moveAside(name, read.reason);
      const next = await change(read);
      if (next !== undefined) await this.writeFile(name, `${JSON.stringify(next, undefined, 2)}\n`);
      return next;
    });
  }

  /**
   * Moves a damaged file to `NAME.corrupt-<n>`, the lowest free n from 1, and warns.
   *
   * The caller is inside `exclusive` for the file. Throws GIR_ERR_STATE.
   */
  async moveAside(name: string, reason: string): Promise<void> {
    const path = this.pathOf(name);
    try {
      const taken = new Set(await this.#fs.readdir(this.path));
      let n = 1;
      while (taken.has(`${name}.corrupt-${n}`)) n += 1;
      const aside = `${path}.corrupt-${n}`;
      await this.#fs.rename(path, aside);
      await syncFolder(this.#fs, this.path);
      this.warn(name, `${path} is damaged (${reason}); it was moved to ${aside}`);
    } catch (error) {
      throw stateError('move aside', path, error);
    }
  }

  /** Waits for the writes under way and then refuses new ones. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    while (0 < this.#queues.size) await Promise.allSettled(this.#queues.values());
  }

  #assertOpen(path: string): void {
    // What is under way may still write: an update under its lock, for one.
    if (!this.#closed || 0 < this.#queues.size) return;
    throw new GiraffeError('GIR_ERR_STATE', `cannot write ${path}: the state folder is closed. Nothing to do.`);
  }

  #enqueue<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#queues.get(key) ?? Promise.resolve()).then(work, work);
    this.#queues.set(key, result);
    const leave = () => {
      if (this.#queues.get(key) === result) this.#queues.delete(key);
    };
    result.then(leave, leave);
    return result;
  }
}

function isNewer(json: unknown, version: number): boolean {
  if (typeof json !== 'object' || json === null || !('v' in json)) return false;
  return typeof json.v === 'number' && Number.isInteger(json.v) && version < json.v;
}
