/**
 * The agents that run on this machine: each keeps a record of itself in the state folder, for the commands that list,
 * stop and ask them.
 *
 * A record is a help, never a condition: an agent that cannot write one warns and serves on. Holds no secret.
 */
import { readdir, readFile, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type ProcessIdentity, processFate, processIdentity } from './process-identity.ts';
import { stateError, systemCode } from './state-error.ts';
import { openStateFolder, type StateFolder, type StateFolderOptions } from './state-folder.ts';

/** An agent as others see it. */
export interface RunningAgent {
  readonly v: 1;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** The edge, `host:port`. */
  readonly server: string;
  /** Where it tells its figures; undefined when it had no port for it. */
  readonly apiUrl: string | undefined;
  /** Where its inspector answers; undefined when it has none. */
  readonly inspectUrl: string | undefined;
  /** Where an agent without a terminal logs; undefined when that is its stderr. */
  readonly logFile: string | undefined;
  /** Which carriers it has; undefined when nobody knows. */
  readonly mode: 'hybrid' | 'grpc' | 'tcp' | undefined;
  readonly tunnels: readonly RunningTunnel[];
}

/** One tunnel of a running agent. */
export interface RunningTunnel {
  /** In the configuration file; undefined for the one of the command line. */
  readonly name: string | undefined;
  readonly domain: string;
  readonly url: string;
  readonly target: string;
}

/** A record that is kept true until it is disposed of. */
export interface AgentRecord extends AsyncDisposable {
  /** Changes what the record says. It is written soon, and never fails. */
  update(change: Partial<RunningAgent>): void;
}

/** Folder of the records, in the state folder. */
export const agentsFolder = 'agents';
const recordFile = /^(\d+)\.json$/;

/** What stands in a file: the agent, and which process it is. */
const recordFormat = z.object({
  v: z.literal(1),
  pid: z.int().positive(),
  startedAt: z.string(),
  server: z.string(),
  apiUrl: z.string().optional(),
  inspectUrl: z.string().optional(),
  logFile: z.string().optional(),
  mode: z.enum(['hybrid', 'grpc', 'tcp']).optional(),
  tunnels: z.array(z.object({ name: z.string().optional(), domain: z.string(), url: z.string(), target: z.string() })),
  process: z.object({
    host: z.string(),
    boot: z.string().optional(),
    namespace: z.string().optional(),
    began: z.string().optional(),
  }),
});

type RecordFile = z.infer<typeof recordFormat>;

/**
 * Writes the record of this process, `agents/PID.json` with mode 0600, and keeps it true; disposing removes it.
 *
 * @param options Where warnings go: of a folder that cannot be written, once. Nothing is thrown then.
 */
export async function announceAgent(
  stateDir: string,
  record: RunningAgent,
  options: StateFolderOptions = {},
): Promise<AgentRecord> {
  const warn = (error: unknown): void => {
    const path = join(resolve(stateDir), agentsFolder);
    const message = `this agent is not listed: ${stateError('write', path, error).message}`;
    options.onWarning?.({ path, message });
  };
  try {
    // The folder above is looked at first, so that one shared by all users is refused.
    await (await openStateFolder(stateDir, options))[Symbol.asyncDispose]();
    const folder = await openStateFolder(join(stateDir, agentsFolder), options);
    const announced = new AnnouncedAgent(folder, record, await processIdentity(record.pid), warn);
    await announced.written();
    return announced;
  } catch (error) {
    warn(error);
    return { update: () => undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
}

/**
 * Returns the agents that run now, the oldest first. The records of those that are gone are removed.
 *
 * @throws {GiraffeError} GIR_ERR_STATE when the folder is there and cannot be read.
 */
export async function listRunningAgents(stateDir: string): Promise<readonly RunningAgent[]> {
  const folder = join(resolve(stateDir), agentsFolder);
  const names = (await namesIn(folder)).filter((name) => recordFile.test(name));
  const found = await Promise.all(names.map((name) => livingAgent(join(folder, name))));
  return found
    .filter((agent) => agent !== undefined)
    .sort((a, b) => a.startedAt.localeCompare(b.startedAt) || a.pid - b.pid);
}

/** Writes are one after the other, and what changes during one is in the next. */
class AnnouncedAgent implements AgentRecord {
  readonly #folder: StateFolder;
  readonly #file: string;
  readonly #identity: ProcessIdentity;
  readonly #warn: (error: unknown) => void;
  #record: RunningAgent;
  #isStale = true;
  #writing: Promise<void> | undefined;
  #isOver = false;

  constructor(folder: StateFolder, record: RunningAgent, identity: ProcessIdentity, warn: (error: unknown) => void) {
    this.#folder = folder;
    this.#record = record;
    this.#identity = identity;
    this.#warn = warn;
    this.#file = `${record.pid}.json`;
  }

  update(change: Partial<RunningAgent>): void {
    if (this.#isOver) return;
    this.#record = { ...this.#record, ...change };
    this.#isStale = true;
    void this.written();
  }

  /** Resolves when the file says what the record does, or cannot. */
  written(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#writing;
    const path = this.#folder.pathOf(this.#file);
    const found = await readRecord(path);
    // In another container, another agent may have the same process id and the same folder.
    if (found !== undefined && isSameProcess(found, this.#identity)) await remove(path);
  }

  async #write(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      const { pid: _, ...identity } = this.#identity;
      const content: RecordFile = { ...this.#record, tunnels: [...this.#record.tunnels], process: identity };
      try {
        await this.#folder.writeFile(this.#file, `${JSON.stringify(content, undefined, 2)}\n`);
      } catch (error) {
        this.#isOver = true;
        this.#warn(error);
        return;
      }
    }
  }
}

function isSameProcess({ pid, process: found }: RecordFile, identity: ProcessIdentity): boolean {
  return (
    pid === identity.pid &&
    found.host === identity.host &&
    found.boot === identity.boot &&
    found.namespace === identity.namespace &&
    found.began === identity.began
  );
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw stateError('read', folder, error);
  }
}

/** Returns the agent of a record while it runs here. What cannot be read is of another release, or was cut by a crash. */
async function livingAgent(path: string): Promise<RunningAgent | undefined> {
  const record = await readRecord(path);
  if (record === undefined) return undefined;
  const fate = await processFate({ pid: record.pid, ...record.process });
  if (fate === 'gone') await remove(path);
  if (fate !== 'running') return undefined;
  const { v, pid, startedAt, server, apiUrl, inspectUrl, logFile, mode, tunnels } = record;
  return {
    v,
    pid,
    startedAt,
    server,
    apiUrl,
    inspectUrl,
    logFile,
    mode,
    tunnels: tunnels.map(({ name, domain, url, target }) => ({ name, domain, url, target })),
  };
}

async function readRecord(path: string): Promise<RecordFile | undefined> {
  try {
    return recordFormat.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

async function remove(path: string): Promise<void> {
  // Somebody else may have been faster, or may own the folder.
  await unlink(path).catch(() => undefined);
}
