/** Runs an edge or an agent of the tests in a process of its own, which can be stopped, killed and starved. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { root } from './repository.ts';

/** A running script. */
export interface ScriptProcess<Ready> extends AsyncDisposable {
  readonly child: ChildProcess;
  /** What the script said when it was ready. */
  readonly ready: Ready;
  /** What it has written to stderr. */
  readonly errors: string;
  /** Asks the script something and returns its answer. */
  ask(question: string): Promise<unknown>;
  /** Stops it as a suspended machine would be; {@link wake} ends that. */
  freeze(): void;
  wake(): void;
  /** kill -9. Resolves when it is gone. */
  kill(): Promise<void>;
}

/** How a script is run. */
export interface ScriptOptions {
  /** Open files it may have, a count; default as many as this process. */
  readonly maxFiles?: number;
}

/**
 * Starts `test/support/<name>.ts` and waits until it says that it is ready.
 * @param settings What the script finds in `scriptSettings()`.
 */
export async function startScript<Ready>(
  name: string,
  settings: unknown,
  { maxFiles }: ScriptOptions = {},
): Promise<ScriptProcess<Ready>> {
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const limit = maxFiles === undefined ? '' : `ulimit -n ${maxFiles}; `;
  const command = `${limit}exec "${process.execPath}" --import jiti/register "${script}"`;
  const child = spawn('sh', ['-c', command], {
    cwd: root,
    env: { ...process.env, SCRIPT_SETTINGS: JSON.stringify(settings) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr?.on('data', (text: Buffer) => {
    errors = (errors + text.toString()).slice(-4000);
  });
  const exited = once(child, 'exit');
  const message = async (): Promise<unknown> => {
    const gone = exited.then(([code, signal]) => {
      throw new Error(`${name} ended with ${code ?? signal}: ${errors}`);
    });
    const [said] = await Promise.race([once(child, 'message'), gone]);
    return said;
  };
  const ready = (await message()) as Ready;
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const kill = async (): Promise<void> => {
    if (!isRunning()) return;
    child.kill('SIGKILL');
    await exited;
  };
  return {
    child,
    ready,
    get errors() {
      return errors;
    },
    ask: (question) => {
      const answer = message();
      child.send(question);
      return answer;
    },
    freeze: () => void child.kill('SIGSTOP'),
    wake: () => void child.kill('SIGCONT'),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

/** In the script: what it was started with. */
export function scriptSettings<Settings>(): Settings {
  return JSON.parse(process.env['SCRIPT_SETTINGS'] ?? '{}') as Settings;
}

/** In the script: says that it is ready, and answers questions from now on. It ends when whoever started it is gone. */
export function serveScript(ready: unknown, answer: (question: string) => unknown): void {
  process.on('message', (question: string) => process.send?.(answer(question)));
  process.on('disconnect', () => process.exit());
  process.send?.(ready);
}
