/**
 * A real web server in front of an edge, run with a configuration that giraffe ships.
 *
 * What is written there for a public machine (names, addresses, certificate files) is replaced by what the test has; each
 * replacement must be found, so that a test cannot go on with a configuration that has changed.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { ChildProgram } from './giraffe-process.ts';
import { root } from './repository.ts';

/** A folder for one server's files, and the server. Disposing it ends the server and removes the folder. */
export class FrontServer implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'giraffe-front-'));
  #process: ChildProgram | undefined;

  /** What the server wrote so far. */
  get output(): string {
    return this.#process?.output ?? '';
  }

  /** Writes a file into the folder and returns its path. */
  file(name: string, content: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** Starts the server and waits until it accepts on all its ports of 127.0.0.1. */
  async start(
    command: string,
    args: readonly string[],
    ports: readonly number[],
    variables: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const env = {
      ...variables,
      PATH: `${process.env['PATH']}:/usr/sbin`,
      HOME: this.folder,
      XDG_DATA_HOME: this.folder,
    };
    const server = new ChildProgram(command, args, env, this.folder);
    this.#process = server;
    for (const port of ports) await accepting(server, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Returns a shipped configuration with each of `replacements` made wherever it applies. */
export function shippedConfiguration(path: string, replacements: readonly (readonly [string, string])[]): string {
  let text = readFileSync(join(root, 'deploy', path), 'utf8');
  for (const [from, to] of replacements) {
    if (!text.includes(from)) throw new Error(`deploy/${path} has no ${JSON.stringify(from)} any more`);
    text = text.replaceAll(from, to);
  }
  return text;
}

async function accepting(server: ChildProgram, port: number): Promise<void> {
  await eventually(`${port} accepts`, async () => {
    if (server.child.exitCode !== null) throw new Error(`ended:\n${server.output}`);
    return await canConnect(port);
  });
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
