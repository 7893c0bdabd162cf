/**
 * A short-lived tunnel of the doctor's own: a real agent with a name of the edge's choice, and a service that only the
 * doctor knows. It takes no part in any tunnel that serves, and is gone when it is disposed of.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { startAgent } from '../agent/agent.ts';
import type { Agent, AgentOptions } from '../agent/agent-options.ts';
import type { GiraffeError } from '../errors/giraffe-error.ts';
import { silentLogger } from '../telemetry/logger.ts';

/** How the agent reaches the edge. */
export type TrialAgent = Pick<AgentOptions, 'server' | 'token' | 'trust' | 'clientCertificate' | 'transport'>;

/** What the service answers to every request: the path it was asked for, behind a word that no other service says. */
export const trialGreeting = 'giraffe-doctor';

/** A tunnel that serves. */
export class TrialTunnel implements AsyncDisposable {
  /** As the edge tells it. */
  readonly url: string;
  readonly #agent: Agent;
  readonly #origin: Server;

  private constructor(url: string, agent: Agent, origin: Server) {
    this.url = url;
    this.#agent = agent;
    this.#origin = origin;
  }

  /**
   * Opens the tunnel.
   *
   * @throws {GiraffeError} Why the edge could not be had, or the reason of `signal`. Nothing is left running then.
   */
  static async open(trial: TrialAgent, signal: AbortSignal): Promise<TrialTunnel> {
    const origin = await startOrigin();
    let url = '';
    let onTrouble: (error: GiraffeError) => void = () => {};
    const trouble = new Promise<never>((_resolve, reject) => {
      onTrouble = reject;
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
    const target = {
      kind: 'tcp',
      host: '127.0.0.1',
      port: (origin.address() as AddressInfo).port,
      tls: false,
    } as const;
    const agent = startAgent(
      { ...trial, tunnels: [{ domain: undefined, target }], hostHeader: 'preserve', trial: true, logger: silentLogger },
      (event) => {
        if (event.type === 'ready') url = event.tunnels[0]?.url ?? '';
        if (event.type === 'reconnecting') onTrouble(event.error);
      },
    );
    try {
      await Promise.race([agent.ready, trouble]);
      return new TrialTunnel(url, agent, origin);
    } catch (error) {
      await end(agent, origin);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#agent, this.#origin);
  }
}

async function end(agent: Agent, origin: Server): Promise<void> {
  // Who is refused rejects `ready` a second time, with nobody left to hear it.
  agent.ready.catch(() => undefined);
  await agent.drain(0);
  origin.close();
  origin.closeAllConnections();
}

/** A service on loopback that answers with what it was asked, and echoes WebSocket messages. */
async function startOrigin(): Promise<Server> {
  const origin = createServer((request, response) => response.end(`${trialGreeting} ${request.url}`));
  new WebSocketServer({ server: origin }).on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  return origin;
}
