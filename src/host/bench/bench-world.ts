/** Starts what a bench without a URL goes through: an origin, an edge and agents, each a process, in a folder of their own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchWayName } from '../../config/bench-settings.ts';
import type { Environment } from '../../config/env.ts';
import type { Address } from '../../load/http-caller.ts';
import { Lifetimes } from '../lifecycle/lifetimes.ts';
import { ObservedProcess, ownProgram } from './observed-process.ts';

/** Where callers connect, and what stands between them and the origin. */
export interface BenchWay {
  readonly name: string;
  readonly address: Address;
  readonly authority: string;
  /** Processes whose cost is told. */
  readonly middle: readonly ObservedProcess[];
}

/** What an edge tells when it is ready. */
interface EdgePorts {
  readonly proxy: number;
  readonly grpc: number;
  readonly tunnel: number;
}

const loopback = '127.0.0.1';
const transports: Readonly<Record<Exclude<BenchWayName, 'direct'>, string>> = {
  hybrid: 'auto',
  grpc: 'grpc',
  tcp: 'tcp',
};

const originScript = fileURLToPath(
  new URL(`./origin-process.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
);

/** Variables that the parts of a bench share with it: none that sets giraffe up. */
const shared = /^(?:PATH|HOME|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|SystemRoot|NODE_.*)$/;

/** The parts. Everything ends with the world. */
export class BenchWorld implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'giraffe-bench-'));
  readonly #lifetimes = new Lifetimes();
  readonly #env: Environment;
  #origin: ObservedProcess | undefined;
  #edge: ObservedProcess | undefined;

  constructor(environment: Environment) {
    // Another Ctrl-C ends the bench without waiting; the folder must not stay then.
    const remove = (): void => rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    process.once('exit', remove);
    this.#lifetimes.defer(() => {
      process.off('exit', remove);
      remove();
    });
    const own = Object.entries(environment).filter(([name]) => shared.test(name));
    const xdg = ['XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_STATE_HOME'];
    this.#env = { ...Object.fromEntries(own), ...Object.fromEntries(xdg.map((name) => [name, this.folder])) };
    this.#writeConfig('giraffe.config.json', {});
  }

  /** The origin; it is started when it is first asked for. */
  async origin(): Promise<ObservedProcess> {
    this.#origin ??= await this.#start({ name: 'origin', args: [originScript], isReady: (line) => /^\d+$/.test(line) });
    return this.#origin;
  }

  /** Starts an edge, once. @param maxStreams Requests in flight per agent. */
  async edge(maxStreams = 1000): Promise<ObservedProcess> {
    this.#edge ??= await this.#startEdge(maxStreams);
    return this.#edge;
  }

  /** Returns the way to the origin itself. */
  async direct(): Promise<BenchWay> {
    const port = Number((await this.origin()).readyLine);
    const address = { address: loopback, port, tls: undefined };
    return { name: 'direct', address, authority: `localhost:${port}`, middle: [] };
  }

  /** Starts an agent and returns the way through it. The edge has to be there. */
  async tunnel(name: Exclude<BenchWayName, 'direct'>): Promise<BenchWay> {
    const edge = await this.edge();
    const agent = await this.startAgent(name);
    return { ...this.#throughEdge(edge, `${name}.localhost`), name, middle: [edge, agent] };
  }

  /** Starts an agent for the endpoint of a way. */
  async startAgent(name: Exclude<BenchWayName, 'direct'>): Promise<ObservedProcess> {
    const port = (await this.origin()).readyLine;
    return this.#startAgent([port, '--domain', `${name}.localhost`, '--transport', transports[name]]);
  }

  /** Starts one agent with this many tunnels. */
  async startTunnels(count: number): Promise<ObservedProcess> {
    const target = Number((await this.origin()).readyLine);
    const names = Array.from({ length: count }, (_, index) => `t${index}`);
    const tunnels = Object.fromEntries(names.map((name) => [name, { domain: `${name}.localhost`, target }]));
    return this.#startAgent(['--config', this.#writeConfig('tunnels.config.json', { tunnels })]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lifetimes[Symbol.asyncDispose]();
  }

  #throughEdge(edge: ObservedProcess, authority: string): Pick<BenchWay, 'address' | 'authority'> {
    return { address: { address: loopback, port: portsOf(edge).proxy, tls: undefined }, authority };
  }

  #startEdge(maxStreams: number): Promise<ObservedProcess> {
    const flags = {
      '--config': this.#writeConfig('edge.config.json', { server: { defaults: { rateLimit: { rpm: 0 } } } }),
      '--host': loopback,
      '--proxy-port': 0,
      '--api-port': 0,
      '--grpc-port': 0,
      '--tunnel-port': 0,
      '--max-streams': maxStreams,
      '--max-connections': 1_000_000,
      '--log-level': 'error',
      '--drain-timeout': 0,
    };
    const args = Object.entries(flags).flatMap(([flag, value]) => [flag, String(value)]);
    return this.#start({
      name: 'edge',
      args: [ownProgram, 'server', 'start', '--json', '--state-dir', this.folder, ...args],
      isReady: isReadyEvent,
    });
  }

  async #startAgent(args: readonly string[]): Promise<ObservedProcess> {
    const { grpc, tunnel } = portsOf(await this.edge());
    const edge = ['--server', `localhost:${grpc}`, '--tunnel-port', String(tunnel), '--state-dir', this.folder];
    const log = ['--inspect-port', '0', '--log-level', 'error', '--drain-timeout', '0', '--json'];
    return this.#start({
      name: 'agent',
      args: [ownProgram, 'tunnel', ...edge, ...log, ...args],
      isReady: isReadyEvent,
    });
  }

  async #start(what: Pick<Parameters<typeof ObservedProcess.start>[0], 'name' | 'args' | 'isReady'>) {
    return this.#lifetimes.use(await ObservedProcess.start({ ...what, env: this.#env, folder: this.folder }));
  }

  #writeConfig(name: string, content: object): string {
    const path = join(this.folder, name);
    writeFileSync(path, JSON.stringify(content));
    return path;
  }
}

function isReadyEvent(line: string): boolean {
  return line.startsWith('{') && (JSON.parse(line) as { readonly event?: string }).event === 'ready';
}

function portsOf(edge: ObservedProcess): EdgePorts {
  return (JSON.parse(edge.readyLine) as { readonly ports: EdgePorts }).ports;
}
