/**
 * Remembers which hosts have been served, so that a tunnel whose agent is away is told from an unknown address.
 *
 * A convenience across restarts, never a condition: a broken disk warns, and traffic goes on.
 */
import { z } from 'zod';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { JsonFormat, StateFolder } from './state-folder.ts';

const endpointsFileName = 'endpoints.json';
/** At 30 bytes a host this is a file of 300 kB. */
const maxKnownEndpoints = 10_000;
/** RFC 1035 section 2.3.4. */
const maxHostLength = 253;
const writeDelayMs = 1_000;
const maxWriteDelayMs = 60_000;

const endpointsFile = z.strictObject({
  v: z.literal(1),
  /** Least recently seen first. */
  hosts: z.array(z.string().min(1).max(maxHostLength)).max(maxKnownEndpoints),
});
const endpointsFormat: JsonFormat<z.infer<typeof endpointsFile>> = {
  version: 1,
  parse: (json) => endpointsFile.parse(json),
};

/** Opens the hosts known in a state folder. Never throws: whatever is wrong with the file is a warning of the folder. */
export async function openKnownEndpoints(
  folder: StateFolder,
  options: { readonly maxHosts?: number } = {},
): Promise<KnownEndpoints> {
  const maxHosts = options.maxHosts ?? maxKnownEndpoints;
  try {
    const file = await folder.readJson(endpointsFileName, endpointsFormat);
    return new KnownEndpoints(folder, maxHosts, file?.hosts ?? []);
  } catch (error) {
    folder.warn(endpointsFileName, GiraffeError.from(error, 'GIR_ERR_STATE').message);
    return new KnownEndpoints(folder, maxHosts, []);
  }
}

/** A bounded set of hosts, in lower case and without a port; beyond the bound the least recently seen is forgotten. */
export class KnownEndpoints implements AsyncDisposable {
  readonly #folder: StateFolder;
  readonly #maxHosts: number;
  readonly #hosts: Set<string>;
  /** Whether a restart would forget a host. A changed order alone is written only at the end. */
  #dirty = false;
  #reordered = false;
  #delayMs = writeDelayMs;
  #failing = false;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** Called by `openKnownEndpoints`. */
  constructor(folder: StateFolder, maxHosts: number, hosts: readonly string[]) {
    this.#folder = folder;
    this.#maxHosts = maxHosts;
    this.#hosts = new Set(hosts.slice(-maxHosts));
  }

  /** How many hosts are known. */
  get size(): number {
    return this.#hosts.size;
  }

  /** All of them, the most recently seen last. */
  get hosts(): readonly string[] {
    return [...this.#hosts];
  }

  /** Tells whether a host has been served. */
  has(host: string): boolean {
    return this.#hosts.has(host);
  }

  /** Notes that a host is being served. A new one is on disk about a second later. Never throws. */
  add(host: string): void {
    if (host === '' || maxHostLength < host.length) return;
    const isNew = !this.#hosts.delete(host);
    this.#hosts.add(host);
    if (isNew) this.#dirty = true;
    else this.#reordered = true;
    for (const oldest of this.#hosts) {
      if (this.#hosts.size <= this.#maxHosts) break;
      this.#hosts.delete(oldest);
    }
    this.#schedule();
  }

  /** Writes what is not on disk yet. A failure is a warning. Never throws. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#dirty || this.#reordered) await this.#write();
  }

  /** Flushes and ends. Hosts added afterwards are not kept. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.flush();
  }

  #schedule(): void {
    if (!this.#dirty || this.#timer !== undefined || this.#closing !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#write().then(() => this.#schedule());
    }, this.#delayMs);
    this.#timer.unref();
  }

  #write(): Promise<void> {
    this.#writing ??= this.#writeOnce().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeOnce(): Promise<void> {
    this.#dirty = false;
    this.#reordered = false;
    try {
      await this.#folder.writeFile(endpointsFileName, `${JSON.stringify({ v: 1, hosts: [...this.#hosts] })}\n`);
      this.#delayMs = writeDelayMs;
      this.#failing = false;
    } catch (error) {
      this.#dirty = true;
      this.#delayMs = Math.min(this.#delayMs * 2, maxWriteDelayMs);
      // Once per outage: a full disk must not fill a log as well.
      if (!this.#failing) this.#folder.warn(endpointsFileName, GiraffeError.from(error, 'GIR_ERR_STATE').message);
      this.#failing = true;
    }
  }
}
