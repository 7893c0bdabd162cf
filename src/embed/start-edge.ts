/**
 * An edge inside a program of one's own: for tests, and for programs that bring their tunnel server along.
 *
 * It never ends that program, listens to no signal, prints nothing, and reads neither a configuration file nor a variable.
 * While it runs it keeps the program alive.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configFrom } from '../config/config-file.ts';
import type { GiraffeConfig } from '../config/config-schema.ts';
import { edgeSettings } from '../config/edge-settings.ts';
import { type FlagValues, resolveSettings } from '../config/setting.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { beginEdge } from '../host/edge/edge-host.ts';
import { loadOwnPlugin } from '../host/extensions/own-plugin.ts';
import { Lifetimes } from '../host/lifecycle/lifetimes.ts';
import { readAgentToken } from '../state/local-files.ts';
import { type Logger, silentLogger } from '../telemetry/logger.ts';

/** How to start an edge. */
export interface EdgeOptions {
  /** Ports to listen on; those that are not named are picked by the system. */
  readonly ports?: Partial<RunningEdge['ports']> | undefined;
  /** Address to listen on. Default 127.0.0.1, which other machines do not reach. */
  readonly host?: string | undefined;
  /** Domain below which endpoints get their names. Default `localhost`. */
  readonly baseDomain?: string | undefined;
  /** Where tokens and certificates are kept. Default a folder that is removed when the edge is closed. */
  readonly stateDir?: string | undefined;
  /** What a configuration file can hold, for all else: limits, routing, authentication. */
  readonly config?: GiraffeConfig | undefined;
  /** Where the edge logs. Default nowhere. */
  readonly logger?: Logger | undefined;
}

/** An edge that runs. */
export interface RunningEdge extends AsyncDisposable {
  /** The ports it listens on. */
  readonly ports: { readonly proxy: number; readonly api: number; readonly grpc: number; readonly tunnel: number };
  /** What `openTunnel` takes as `server`, on this machine. */
  readonly server: string;
  /** A token that may serve every endpoint. */
  readonly token: string;
  /** What `openTunnel` takes as `ca`. Undefined with a certificate of one's own. */
  readonly ca: string | undefined;
  /** Where clients reach the base domain itself. */
  readonly url: string;
  /** Ends the edge. What is in flight has `drainMs` milliseconds to finish, by default none. */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

/**
 * Starts an edge and returns it once all its ports accept.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE or GIR_ERR_CONFIG for options that are not valid, GIR_ERR_LISTEN, GIR_ERR_STATE,
 *   GIR_ERR_EXTENSION_LOAD.
 */
export async function startEdge(options: EdgeOptions = {}): Promise<RunningEdge> {
  const lifetimes = new Lifetimes();
  try {
    const stateDir = options.stateDir ?? (await temporaryFolder(lifetimes));
    const file = configFrom(options.config ?? {}, 'the option config');
    const settings = resolveSettings(edgeSettings, flagsOf(options, stateDir), {}, file.source);
    const logger = options.logger ?? silentLogger;
    const log = { logger, setLevel: () => undefined, reopen: () => undefined };
    const input = { flags: {}, environment: {} };
    const plugins = await loadOwnPlugin();
    const { edge, announcement, drainAsked } = await beginEdge({ input, plugins }, { settings, file }, log, lifetimes);
    const token = announcement.firstToken ?? (await readAgentToken(stateDir));
    if (token === undefined) throw new GiraffeError('GIR_ERR_STATE', `${stateDir} holds no token for agents`);
    const { ports, caFingerprint, clientUrl } = announcement;
    let ended: Promise<void> | undefined;
    const close = ({ drainMs = 0 }: { readonly drainMs?: number } = {}) => {
      ended ??= edge.drain(drainMs).finally(() => lifetimes[Symbol.asyncDispose]());
      return ended;
    };
    void drainAsked.then(() => close({ drainMs: settings.drainTimeout }));
    return {
      ports: { proxy: ports.proxy, api: ports.api, grpc: ports.grpc, tunnel: ports.tunnel },
      server: `localhost:${ports.grpc}`,
      token,
      ca: caFingerprint,
      url: clientUrl,
      close,
      [Symbol.asyncDispose]: () => close(),
    };
  } catch (error) {
    await lifetimes[Symbol.asyncDispose]();
    throw error;
  }
}

function flagsOf({ ports = {}, host, baseDomain, config }: EdgeOptions, stateDir: string): FlagValues {
  const given = config?.server?.ports;
  const port = (name: keyof RunningEdge['ports']) => ports[name] ?? (given?.[name] === undefined ? 0 : undefined);
  return {
    'proxy-port': port('proxy')?.toString(),
    'api-port': port('api')?.toString(),
    'grpc-port': port('grpc')?.toString(),
    'tunnel-port': port('tunnel')?.toString(),
    host: host ?? (config?.server?.host === undefined ? '127.0.0.1' : undefined),
    'base-domain': baseDomain,
    'state-dir': stateDir,
  };
}

async function temporaryFolder(lifetimes: Lifetimes): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'giraffe-edge-'));
  lifetimes.defer(() => rm(path, { recursive: true, force: true }));
  return path;
}
