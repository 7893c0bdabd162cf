/**
 * The program as a user runs it: `bin/run.js` from dist/, in a process of its own, in a home folder of its own.
 *
 * Needs a build. Everything is disposed of with SIGKILL, so that a failed test leaves no process behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { root } from './repository.ts';

const program = join(root, 'bin', 'run.js');
/** Time for a process to say or do what a test waits for, in milliseconds: ample on a busy machine. */
const deadlineMs = 30_000;

/** The ports an edge has picked. */
export interface EdgePorts {
  readonly proxy: number;
  readonly api: number;
  readonly grpc: number;
  readonly tunnel: number;
}

/** Returns the flags for an edge on these ports. */
export function portFlags({ proxy, api, grpc, tunnel }: EdgePorts): string[] {
  const flags = { '--proxy-port': proxy, '--api-port': api, '--grpc-port': grpc, '--tunnel-port': tunnel };
  return Object.entries(flags).flatMap(([flag, port]) => [flag, String(port)]);
}

const anyPort: EdgePorts = { proxy: 0, api: 0, grpc: 0, tunnel: 0 };
/** Flags that let an edge pick all its ports. */
export const anyPorts = portFlags(anyPort);

/** Returns ports for an edge that is to come back on them after it has left them. */
export async function keptPorts(): Promise<EdgePorts> {
  return { proxy: await freePort(), api: await freePort(), grpc: await freePort(), tunnel: await freePort() };
}

/** One line of `--json`. */
export interface GiraffeEvent {
  readonly v: number;
  readonly event: string;
  readonly [field: string]: unknown;
}

/** How a process ended: by a status or by a signal. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a process is started with besides its arguments. */
export interface ProcessSettings {
  /** Laid over the variables of the home folder; undefined takes one away. */
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
}

const living = new Set<ChildProgram>();
process.on('exit', () => {
  for (const program of living) program.kill('SIGKILL');
});

/** A running program and everything it wrote. */
export class ChildProgram implements AsyncDisposable {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #ended: Promise<ProcessEnd>;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd: string, stdin = '') {
    // A process group of its own, so that what a shell started ends with it.
    const child = spawn(command, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.child = child;
    living.add(this);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
    this.#ended = once(child, 'close').then(([code, signal]) => {
      living.delete(this);
      return { code, signal } as ProcessEnd;
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Both streams. */
  get output(): string {
    return this.stdout + this.stderr;
  }

  /** The lines of stdout that are complete, as JSON. Throws when one is not. */
  get events(): GiraffeEvent[] {
    return this.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as GiraffeEvent);
  }

  /** Returns the first event of a kind that `matches`, past or future; rejects when the process ends without it. */
  async event(name: string, matches: (event: GiraffeEvent) => boolean = () => true): Promise<GiraffeEvent> {
    let found: GiraffeEvent | undefined;
    await this.until(`the event ${name}`, () => {
      found = this.events.find((event) => event.event === name && matches(event));
      return found !== undefined;
    });
    return found as GiraffeEvent;
  }

  /** Resolves when stdout or stderr contains a text; rejects when the process ends without it. */
  async prints(text: string | RegExp): Promise<void> {
    await this.until(`the output ${text}`, () =>
      typeof text === 'string' ? this.output.includes(text) : text.test(this.output),
    );
  }

  /** Resolves when the process has ended and all its output is read; rejects when that takes longer, in milliseconds. */
  async ended(withinMs = deadlineMs): Promise<ProcessEnd> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`does not end; its output:\n${this.output}`)), withinMs);
    });
    try {
      return await Promise.race([this.#ended, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal to the process and those it started; nothing happens when they have ended. */
  kill(signal: NodeJS.Signals): void {
    if (living.has(this) && this.child.pid !== undefined) process.kill(-this.child.pid, signal);
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<ProcessEnd> {
    this.kill(signal);
    return this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill('SIGKILL');
    } catch {
      // It ended by itself just now.
    }
    // What it has started may live on in a group of its own and hold these.
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
    await this.#ended;
  }

  /** Resolves when a condition on the output holds; rejects when the process ends without it. */
  async until(what: string, holds: () => boolean): Promise<void> {
    try {
      await eventually(
        what,
        () => {
          if (holds()) return true;
          const { exitCode, signalCode } = this.child;
          if (exitCode === null && signalCode === null) return false;
          throw new Error(`ended with ${exitCode ?? signalCode} before ${what}`);
        },
        deadlineMs,
      );
    } catch (cause) {
      throw new Error(`${(cause as Error).message}; its output:\n${this.output}`, { cause });
    }
  }
}

/** An edge that is ready. */
export interface RunningEdge {
  readonly process: ChildProgram;
  readonly ports: EdgePorts;
}

/** A user's home folder, in which `giraffe` is on the PATH. Disposing it ends all processes started in it. */
export class GiraffeHome implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), 'giraffe-e2e-'));
  readonly #processes: ChildProgram[] = [];

  constructor() {
    mkdirSync(join(this.path, 'bin'));
    symlinkSync(program, join(this.path, 'bin', 'giraffe'));
  }

  /** Where giraffe keeps its state unless it is told otherwise. */
  get stateDir(): string {
    return join(this.path, '.local', 'state', 'giraffe');
  }

  /** Starts `giraffe`. */
  run(args: readonly string[], settings: ProcessSettings = {}): ChildProgram {
    return this.#start(process.execPath, [program, ...args], settings);
  }

  /** Runs a line in a shell, as a person would paste it. */
  shell(line: string, settings: ProcessSettings = {}): ChildProgram {
    return this.#start('sh', ['-c', line], settings);
  }

  /** Starts an edge with `--json`, by default on ports of its own choice, and waits until it is ready. */
  async startEdge(args: readonly string[] = [], wanted = anyPort): Promise<RunningEdge> {
    const edge = this.run(['server', 'start', '--json', ...portFlags(wanted), ...args]);
    const { ports } = await edge.event('ready');
    return { process: edge, ports: ports as EdgePorts };
  }

  /** Starts an agent with `--json` for an edge on this machine and waits until both its tunnels serve. */
  async startAgent(
    edge: { readonly ports: EdgePorts },
    target: number | string,
    args: readonly string[] = [],
    settings: ProcessSettings = {},
  ): Promise<ChildProgram> {
    const server = `localhost:${edge.ports.grpc}`;
    const agent = this.run(['tunnel', String(target), '--server', server, '--json', ...args], settings);
    await servesHybrid(agent);
    return agent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((program) => program[Symbol.asyncDispose]()));
    // What ran on a terminal of its own hears of the end a moment later, and may still write. Only the asynchronous
    // form begins anew at a retry: rmSync retries the folder alone and fails for good on a file that came meanwhile.
    await rm(this.path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  #start(command: string, args: readonly string[], { env = {}, stdin }: ProcessSettings): ChildProgram {
    const PATH = [join(this.path, 'bin'), join(process.execPath, '..'), process.env['PATH']].join(':');
    const started = new ChildProgram(command, args, { PATH, HOME: this.path, ...env }, this.path, stdin);
    this.#processes.push(started);
    return started;
  }
}

/** Resolves when an agent that was started with `--json` serves with both tunnels, for the n-th time. */
export async function servesHybrid(agent: ChildProgram, times = 1): Promise<void> {
  await agent.until('hybrid mode', () => {
    const modes = agent.events.filter(
      ({ event, mode }) => (event === 'ready' || event === 'mode') && mode === 'hybrid',
    );
    return times <= modes.length;
  });
}
