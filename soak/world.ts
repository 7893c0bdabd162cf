/**
 * What is disturbed: an origin, an edge on ports that it keeps, two agents that share an endpoint, one over gRPC alone and
 * one over TCP alone. Each is a process, in a folder of their own.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EdgePorts, keptPorts, portFlags } from '../test/support/giraffe-process.ts';
import { type ScriptProcess, startScript } from '../test/support/script-process.ts';
import { EdgeView, type SessionView } from './edge-view.ts';
import { GiraffeProcess, type OnCrash } from './processes.ts';
import type { FrontKind } from './settings.ts';

/** An agent, whichever process it is at the moment. */
export interface AgentSlot {
  readonly name: string;
  readonly host: string;
  readonly transport: 'auto' | 'grpc' | 'tcp';
}

/** The agents. */
export const slots: readonly [AgentSlot, ...AgentSlot[]] = [
  { name: 'pair-1', host: 'pair.localhost', transport: 'auto' },
  { name: 'pair-2', host: 'pair.localhost', transport: 'auto' },
  { name: 'grpc', host: 'grpc.localhost', transport: 'grpc' },
  { name: 'tcp', host: 'tcp.localhost', transport: 'tcp' },
];

/** The endpoints; work for the pair comes twice as often. */
export const hosts: readonly [string, ...string[]] = [
  'pair.localhost',
  'pair.localhost',
  'grpc.localhost',
  'tcp.localhost',
];

/** What an agent that runs is known by. */
interface RunningAgent {
  readonly process: GiraffeProcess;
  /** Label of its sessions. */
  readonly label: string;
}

/** Memory of an agent's inspector: full soon, so that it does not look like a leak. */
const inspectMemory = '2MiB';
/** No limit on requests: the crew is as fast as it can. */
const edgeConfig = { server: { defaults: { rateLimit: { rpm: 0 } } } };

/** The processes. Disposing it ends them all and removes their folder. */
export class SoakWorld implements AsyncDisposable {
  readonly ports: EdgePorts;
  /** Since when all agents have served, by `performance.now()`, in milliseconds. */
  wholeSinceMs = performance.now();
  readonly origin: ScriptProcess<string>;
  readonly #front: FrontKind;
  readonly #folder: string;
  readonly #onCrash: OnCrash;
  readonly #agents = new Map<AgentSlot, RunningAgent>();
  #edge: GiraffeProcess | undefined;
  #view: EdgeView | undefined;
  #starts = 0;
  readonly #removeFolder = (): void => rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });

  private constructor(front: FrontKind, ports: EdgePorts, origin: ScriptProcess<string>, onCrash: OnCrash) {
    this.#front = front;
    this.ports = ports;
    this.origin = origin;
    this.#onCrash = onCrash;
    this.#folder = mkdtempSync(join(tmpdir(), 'giraffe-soak-'));
    process.once('exit', this.#removeFolder);
    writeFileSync(this.#config, JSON.stringify(edgeConfig));
  }

  /** Starts everything. @param onCrash Told of a process that ends by itself. */
  static async start(front: FrontKind, onCrash: OnCrash): Promise<SoakWorld> {
    const origin = await startScript<string>('../../soak/origin', {});
    const world = new SoakWorld(front, await keptPorts(), origin, onCrash);
    try {
      await world.startEdge();
      await Promise.all(slots.map((slot) => world.startAgent(slot)));
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  get edge(): GiraffeProcess {
    if (this.#edge === undefined) throw new Error('no edge was started');
    return this.#edge;
  }

  get view(): EdgeView {
    this.#view ??= new EdgeView(this.ports.api, this.#folder);
    return this.#view;
  }

  /** CA of the edge's certificate, PEM. */
  get ca(): string {
    return readFileSync(join(this.#folder, 'ca.pem'), 'utf8');
  }

  /** The edge and all agents. */
  get processes(): GiraffeProcess[] {
    return [this.edge, ...slots.map((slot) => this.agent(slot))];
  }

  agent(slot: AgentSlot): GiraffeProcess {
    return this.#running(slot).process;
  }

  async startEdge(): Promise<void> {
    const tls = this.#front === 'https' ? ['--proxy-tls'] : [];
    const args = ['server', 'start', '--json', '--config', this.#config, '--host', '127.0.0.1', ...tls];
    this.#edge = await this.#start('edge', [...args, ...portFlags(this.ports)]);
  }

  /** Starts the agent of a slot anew; it serves when this resolves. */
  async startAgent(slot: AgentSlot): Promise<void> {
    this.#starts += 1;
    const label = `soak=${slot.name}-${this.#starts}`;
    const { grpc, tunnel } = this.ports;
    const edge = ['--server', `localhost:${grpc}`, '--tunnel-port', String(tunnel), '--transport', slot.transport];
    const inspector = ['--inspect-port', '0', '--inspect-memory', inspectMemory];
    const args = [
      'tunnel',
      this.origin.ready,
      '--domain',
      slot.host,
      '--label',
      label,
      '--json',
      ...edge,
      ...inspector,
    ];
    this.#agents.set(slot, { process: await this.#start(slot.name, args), label });
  }

  /** Sessions that the edge holds for the process that a slot has now. */
  async sessionsOf(slot: AgentSlot): Promise<SessionView[]> {
    const { label } = this.#running(slot);
    return (await this.view.sessions()).filter(({ labels }) => labels.includes(label));
  }

  /** Whether the edge has a whole session with each agent, and no other. */
  async isWhole(): Promise<boolean> {
    const sessions = await this.view.sessions();
    return (
      sessions.length === slots.length &&
      slots.every((slot) => {
        const { label } = this.#running(slot);
        const mode = slot.transport === 'auto' ? 'hybrid' : slot.transport;
        return sessions.some((session) => session.labels.includes(label) && session.mode === mode);
      })
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of [...[...this.#agents.values()].map((agent) => agent.process), this.#edge]) {
      if (process?.isRunning) await process.end('SIGKILL');
    }
    await this.origin.kill();
    process.off('exit', this.#removeFolder);
    this.#removeFolder();
  }

  get #config(): string {
    return join(this.#folder, 'giraffe.config.json');
  }

  #running(slot: AgentSlot): RunningAgent {
    const running = this.#agents.get(slot);
    if (running === undefined) throw new Error(`no agent ${slot.name} was started`);
    return running;
  }

  #start(name: string, args: readonly string[]): Promise<GiraffeProcess> {
    // Nothing that sets giraffe up comes from whoever runs the soak.
    const { PATH, TMPDIR } = process.env;
    const env = { PATH, TMPDIR, HOME: this.#folder, GIRAFFE_STATE_DIR: this.#folder };
    return GiraffeProcess.start(name, [...args, '--log-level', 'info', '--log-format', 'json'], env, this.#onCrash);
  }
}
