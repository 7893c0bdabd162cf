/**
 * The command behind `--`: runs it, passes signals on to it, and leaves nothing of it behind.
 *
 * With a terminal it shares our process group, so that Ctrl-C and Ctrl-Z reach both as they reach any job of a shell.
 * Without one it gets a group of its own, which signals are sent to and which is cleared away when the command has ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { GiraffeError } from '../../../errors/giraffe-error.ts';
import { isGroupRunning } from '../../../state/process-identity.ts';
import { systemCode } from '../../../state/state-error.ts';
import { hasControllingTerminal } from '../../lifecycle/hang-up.ts';

/** A program and its arguments. */
export type CommandWords = readonly [program: string, ...args: string[]];

/** Signals that are passed on. */
const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
/** What a terminal sends to its whole foreground group: the command has it already, and must not have it twice. */
const fromTerminal: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/** Time for a command to end after SIGTERM, then it gets SIGKILL, in milliseconds. */
const endGraceMs = 10_000;
/** The same for what a command has left running. */
const leftoverGraceMs = 2_000;
/** Time between looks at a process group, in milliseconds. */
const lookMs = 20;

/** Where signals of this process arrive. */
export type SignalEmitter = Pick<NodeJS.EventEmitter, 'on' | 'off'>;

type Variables = Readonly<Record<string, string | undefined>>;

/** A command that runs. */
export class WrappedCommand {
  readonly #child: ChildProcess;
  readonly #hasGroup = process.platform !== 'win32' && !hasControllingTerminal();
  readonly #exit: Promise<number>;
  readonly #stopPassingOn: () => void;
  #isOver = false;

  private constructor([program, ...args]: CommandWords, environment: Variables, signals: SignalEmitter) {
    // Before the command runs: a signal that nobody waits for would end this process alone.
    this.#stopPassingOn = this.#passOn(signals);
    const options = { stdio: 'inherit', env: { ...environment }, detached: this.#hasGroup } as const;
    this.#child = spawn(program, args, options);
    this.#exit = once(this.#child, 'exit').then(async ([code, signal]) => {
      await this.#clearGroup();
      this.#isOver = true;
      this.#stopPassingOn();
      return signal === null ? (code as number) : 128 + constants.signals[signal as NodeJS.Signals];
    });
    // Of one that does not start, start() tells.
    this.#exit.catch(() => undefined);
  }

  /**
   * Starts a command with our stdin, stdout and stderr.
   *
   * @throws {GiraffeError} GIR_ERR_COMMAND_UNKNOWN, GIR_ERR_COMMAND_REFUSED.
   */
  static async start(
    words: CommandWords,
    environment: Variables,
    signals: SignalEmitter = process,
  ): Promise<WrappedCommand> {
    const command = new WrappedCommand(words, environment, signals);
    try {
      await once(command.#child, 'spawn');
      return command;
    } catch (cause) {
      command.#stopPassingOn();
      const [program] = words;
      const code = systemCode(cause);
      if (code === 'ENOENT') throw new GiraffeError('GIR_ERR_COMMAND_UNKNOWN', `${program} is not found`, { cause });
      throw new GiraffeError('GIR_ERR_COMMAND_REFUSED', `${program} cannot be run (${code})`, { cause });
    }
  }

  /** Resolves with its exit status, 128 and the number of the signal that ended it, once nothing of it is left. */
  get ended(): Promise<number> {
    return this.#exit;
  }

  /** Ends it: SIGTERM, and after a while SIGKILL. */
  stop(): void {
    this.#send('SIGTERM');
    const timer = setTimeout(() => this.#send('SIGKILL'), endGraceMs);
    void this.#exit.then(() => clearTimeout(timer));
  }

  /** Begins to pass signals on; returns what ends it. */
  #passOn(signals: SignalEmitter): () => void {
    const forwards = passedOn.map((signal) => {
      const forward = () => {
        if (this.#hasGroup || !fromTerminal.includes(signal)) this.#send(signal);
      };
      signals.on(signal, forward);
      return [signal, forward] as const;
    });
    return () => {
      for (const [name, forward] of forwards) signals.off(name, forward);
    };
  }

  #send(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (this.#isOver || pid === undefined) return;
    if (this.#hasGroup) sendToGroup(pid, signal);
    else this.#child.kill(signal);
  }

  /** Ends what the command has started and left in its group. */
  async #clearGroup(): Promise<void> {
    const { pid } = this.#child;
    if (!this.#hasGroup || pid === undefined || !sendToGroup(pid, 'SIGTERM')) return;
    const deadline = performance.now() + leftoverGraceMs;
    while (await isGroupRunning(pid)) {
      if (deadline <= performance.now()) sendToGroup(pid, 'SIGKILL');
      await delay(lookMs);
    }
  }
}

/** Returns whether there is anybody in the group. */
function sendToGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    // EPERM: whoever is left runs as somebody else, and is not ours to end.
    if (systemCode(error) !== 'ESRCH' && systemCode(error) !== 'EPERM') throw error;
    return false;
  }
}
