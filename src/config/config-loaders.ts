/**
 * Reads each form of configuration file. What is wrong with one is told by its place in the file and never by an excerpt,
 * because the line may hold a secret.
 */
import { extname } from 'node:path';
import { defaultLoaders, type Loader } from 'cosmiconfig';
import { ConfigError } from './config-error.ts';

/** Time for a file that is a program, in milliseconds. */
const maxRunMs = 10_000;

const loadYaml = defaultLoaders['.yaml'];

/** Loaders by file ending, for cosmiconfig. */
export const configLoaders: Readonly<Record<string, Loader>> = {
  '.json': told(readJson),
  '.yaml': told(readYaml),
  '.yml': told(readYaml),
  noExt: told(readYaml),
  '.toml': told(readToml),
  '.ts': told(runModule),
  '.js': told(runModule),
  '.mjs': told(runModule),
  '.cjs': told(runModule),
};

/** Makes every failure one that names the file and has no excerpt. */
function told(load: (path: string, content: string) => unknown): Loader {
  return async (path: string, content: string) => {
    try {
      return await load(path, content);
    } catch (cause) {
      throw new ConfigError([`${path} cannot be read: ${reasonOf(cause)}`]);
    }
  };
}

function readYaml(path: string, content: string): unknown {
  return loadYaml(path, content);
}

/** What is no JSON is read as YAML, which is nearly the same, to find out where the mistake is. */
function readJson(path: string, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    loadYaml(path, content);
    throw new Failure('it is not strict JSON (no comments, no trailing commas, every key and text in double quotes)');
  }
}

async function readToml(_path: string, content: string): Promise<unknown> {
  const { parse } = await import('smol-toml');
  return parse(content);
}

/** Runs the file anew each time, so that a reload sees what has changed. What it imports stays as it was. */
async function runModule(path: string, content: string): Promise<unknown> {
  const { createJiti } = await import('jiti');
  const jiti = createJiti(path, { moduleCache: false, fsCache: false });
  const options = { filename: path, ext: extname(path), async: true, forceTranspile: true };
  const exported = await inTime(
    jiti.evalModule(content, options) as Promise<{ readonly default?: unknown } | undefined>,
  );
  const value = await inTime(Promise.resolve(exported?.default ?? exported));
  if (typeof value === 'object' && value !== null) return value;
  throw new Failure('its default export is not an object');
}

/** Node would end the process without a word when all that is left is a promise that nobody keeps. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Failure(`it has not ended after ${maxRunMs / 1000} s`)), maxRunMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A reason in our own words. */
class Failure extends Error {}

interface Placed {
  readonly mark?: { readonly line: number; readonly column: number };
  readonly reason?: unknown;
  readonly line?: unknown;
  readonly column?: unknown;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed';
  if (error instanceof Failure) return error.message;
  const { mark, reason, line, column } = error as Error & Placed;
  // js-yaml counts from 0, smol-toml from 1.
  if (mark !== undefined) return `line ${mark.line + 1}, column ${mark.column + 1}: ${unquoted(String(reason))}`;
  const [first = '', second = ''] = error.message.split('\n');
  const place = /:(\d+):(\d+)\s*$/.exec(second);
  if (place !== null) return `line ${place[1]}, column ${Number(place[2]) + 1}: ${unquoted(first).trim()}`;
  if (typeof line === 'number') return `line ${line}, column ${Number(column)}: ${unquoted(first)}`;
  return unquoted(first);
}

/** Takes out what a message quotes from the file. */
function unquoted(text: string): string {
  return text.replace(/\s*(?:"[^"]*"?|'[^']*'?|`[^`]*`?|<[^>]*>?)/g, ' …');
}
