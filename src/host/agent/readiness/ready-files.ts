/** Leaves the public URL of a tunnel where scripts look for it: in a file, in a file of variables, with GitHub Actions. */
import { appendFile, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import type { AgentSettings } from '../../../config/agent-settings.ts';
import type { Environment } from '../../../config/env.ts';
import { GiraffeError } from '../../../errors/giraffe-error.ts';
import { systemCode } from '../../../state/state-error.ts';
import { type PublicTunnel, trustedTunnels, tunnelVariables } from './tunnel-variables.ts';

/** Which files are asked for. */
export type ReadyFileSettings = Pick<AgentSettings, 'urlFile' | 'dotenvFile' | 'github'>;

/** Writes what settings ask for. */
export class ReadyFiles {
  readonly #settings: ReadyFileSettings;
  readonly #githubOutput: string | undefined;

  private constructor(settings: ReadyFileSettings, githubOutput: string | undefined) {
    this.#settings = settings;
    this.#githubOutput = githubOutput;
  }

  /**
   * Makes ready: a URL of an earlier tunnel must not be taken for that of this one.
   *
   * @throws {GiraffeError} GIR_ERR_USAGE for --github outside of GitHub Actions; GIR_ERR_CONFIG for a file that cannot be
   *   removed.
   */
  static async prepare(settings: ReadyFileSettings, environment: Environment): Promise<ReadyFiles> {
    const output = environment['GITHUB_OUTPUT'];
    if (settings.github && (output === undefined || output === '')) {
      throw new GiraffeError('GIR_ERR_USAGE', '--github is for a step of GitHub Actions: GITHUB_OUTPUT is not set');
    }
    const { urlFile } = settings;
    if (urlFile !== undefined && (await isPlainFile(urlFile))) {
      await written('--url-file', urlFile, () => unlink(urlFile));
    }
    return new ReadyFiles(settings, settings.github ? output : undefined);
  }

  /** Writes all files. Throws GIR_ERR_CONFIG naming the one that cannot be written. */
  async write(served: readonly PublicTunnel[]): Promise<void> {
    const { urlFile, dotenvFile } = this.#settings;
    const output = this.#githubOutput;
    if (urlFile === undefined && dotenvFile === undefined && output === undefined) return;
    const tunnels = trustedTunnels(served);
    if (dotenvFile !== undefined) {
      await written('--dotenv-file', dotenvFile, () => setVariables(dotenvFile, tunnelVariables(tunnels)));
    }
    if (output !== undefined) await written('GITHUB_OUTPUT', output, () => appendFile(output, outputLines(tunnels)));
    if (urlFile !== undefined) {
      await written('--url-file', urlFile, () => putWhole(urlFile, tunnels.map(({ url }) => `${url}\n`).join('')));
    }
  }
}

function outputLines(tunnels: readonly PublicTunnel[]): string {
  const [first] = tunnels;
  return `url=${first?.url ?? ''}\ndomain=${first?.domain ?? ''}\n`;
}

/** Sets variables in a file of `NAME=value` lines: in place where they are set already, otherwise at the end. */
async function setVariables(path: string, variables: Readonly<Record<string, string>>): Promise<void> {
  const before = await readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  });
  const lines = before.split('\n');
  const added: string[] = [];
  for (const [name, value] of Object.entries(variables)) {
    const index = lines.findIndex((line) => new RegExp(`^(?:export +)?${name}=`).test(line));
    if (index === -1) added.push(`${name}=${value}\n`);
    else lines[index] = `${/^export +/.exec(lines[index] ?? '')?.[0] ?? ''}${name}=${value}`;
  }
  const text = lines.join('\n');
  // Other programs may append at the same time, as to GITHUB_ENV: what is there is written anew only where it must be.
  if (text !== before) await writeFile(path, text);
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  if (added.length > 0) await appendFile(path, gap + added.join(''));
}

/** A script that waits for the file must not find half of it. What is no plain file, such as a pipe, is written to. */
async function putWhole(path: string, text: string): Promise<void> {
  if (!(await isPlainFile(path)) && (await exists(path))) return writeFile(path, text);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function isPlainFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function written(name: string, path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const reason = systemCode(cause) ?? 'unknown reason';
    throw new GiraffeError('GIR_ERR_CONFIG', `${name}: ${path} cannot be written (${reason})`, { cause });
  }
}
