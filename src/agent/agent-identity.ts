/**
 * Who this agent is to the edge: an id for the life of the process, rising generations, and the names it serves.
 */
import { randomBytes } from 'node:crypto';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { parseAuthority } from '../http/authority.ts';
import { capabilities, type Hello, protocolVersion, type Welcome } from '../protocol/handshake.ts';
import { softwareName } from '../telemetry/software.ts';
import type { AgentOptions } from './agent-options.ts';
import type { Target } from './target.ts';

/** The agent's part of every handshake. */
export class AgentIdentity {
  readonly #options: AgentOptions;
  readonly #agentId = randomBytes(12).toString('base64url');
  #generation = 0;
  /** Names in the order of the tunnels; undefined lets the edge choose one. */
  #domains: (string | undefined)[];

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#domains = options.tunnels.map(({ domain }) => domain);
  }

  /** Returns the number of a new session, higher than any before. */
  nextGeneration(): number {
    this.#generation += 1;
    return this.#generation;
  }

  /** Returns HELLO for a carrier of the session with this generation. @param ticket Joins it to one that serves. */
  hello(generation: number, ticket: string | undefined): Hello {
    const hello: Hello = {
      version: protocolVersion,
      software: softwareName,
      capabilities: [...capabilities],
      token: this.#options.token,
      agentId: this.#agentId,
      generation,
      endpoints: this.#domains.map((domain) => domain ?? null),
    };
    return ticket === undefined ? hello : { ...hello, ticket };
  }

  /**
   * Takes over the names of a WELCOME, so that a later session asks for them, and returns the target of each.
   * @throws {GiraffeError} GIR_ERR_PROTOCOL when it answers another question than HELLO asked.
   */
  welcomed({ endpoints }: Welcome): Map<string, Target> {
    const { tunnels } = this.#options;
    if (endpoints.length !== tunnels.length) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', `WELCOME names ${endpoints.length} endpoints, not ${tunnels.length}`);
    }
    const targets = new Map<string, Target>();
    for (const [index, { domain, target }] of tunnels.entries()) {
      const host = endpoints[index]?.host ?? '';
      if (domain !== undefined && parseAuthority(domain).host !== host) {
        throw new GiraffeError(
          'GIR_ERR_PROTOCOL',
          `WELCOME names ${JSON.stringify(host)} where ${domain} was asked for`,
        );
      }
      targets.set(host, target);
    }
    this.#domains = endpoints.map(({ host }) => host);
    return targets;
  }

  /** Forgets names that the edge chose and does not grant any more. Returns whether there were any. */
  forgetChosenNames(): boolean {
    const configured = this.#options.tunnels.map(({ domain }) => domain);
    const hadChosen = configured.some((domain, index) => domain === undefined && this.#domains[index] !== undefined);
    this.#domains = configured;
    return hadChosen;
  }
}
