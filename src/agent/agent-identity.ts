/**
 * Who this agent is to the edge: an id for the life of the process, rising generations, and the names it serves.
 */
import { randomBytes } from 'node:crypto';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { parseAuthority } from '../http/authority.ts';
import { maxHandshakePayloadBytes } from '../protocol/frame.ts';
import { capabilities, encodeHandshake, type Hello, protocolVersion, type Welcome } from '../protocol/handshake.ts';
import { softwareName } from '../telemetry/software.ts';
import type { AgentOptions, AgentTunnel } from './agent-options.ts';

/** Room in HELLO for names that the edge chooses and for rising numbers, in octets. */
const spareBytes = 1024;

/** The agent's part of every handshake. */
export class AgentIdentity {
  readonly #options: AgentOptions;
  readonly #agentId = randomBytes(12).toString('base64url');
  #generation = 0;
  /** The tunnels that are left, each with the name to ask for; undefined lets the edge choose one. */
  #tunnels: readonly { readonly tunnel: AgentTunnel; readonly domain: string | undefined }[];

  /** @throws {GiraffeError} GIR_ERR_CONFIG when the tunnels' policies are more than an edge reads. */
  constructor(options: AgentOptions) {
    this.#options = options;
    this.#tunnels = options.tunnels.map((tunnel) => ({ tunnel, domain: tunnel.domain ?? tunnel.formerName }));
    const bytes = this.#hasPolicy ? encodeHandshake(this.hello(0, undefined)).length : 0;
    if (bytes > maxHandshakePayloadBytes - spareBytes) {
      throw new GiraffeError(
        'GIR_ERR_CONFIG',
        'the policies of the tunnels are too long together; use fewer and shorter lists',
      );
    }
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
      endpoints: this.#tunnels.map(({ domain }) => domain ?? null),
    };
    if (ticket !== undefined) return { ...hello, ticket };
    const { labels = [], weight = 1, run, trial = false } = this.#options;
    return {
      ...hello,
      ...(run === undefined ? {} : { run }),
      ...(labels.length === 0 ? {} : { labels: [...labels] }),
      ...(weight === 1 ? {} : { weight }),
      ...(trial ? { trial } : {}),
      ...(this.#hasPolicy ? { policies: this.#tunnels.map(({ tunnel }) => tunnel.policy ?? null) } : {}),
    };
  }

  /**
   * Takes over the names of a WELCOME, so that a later session asks for them, and returns the tunnel of each.
   * @throws {GiraffeError} GIR_ERR_PROTOCOL when it answers another question than HELLO asked; GIR_ERR_PROTOCOL_VERSION
   *   when the edge is too old to protect what shall be protected.
   */
  welcomed({ endpoints, capabilities: offered }: Welcome): Map<string, AgentTunnel> {
    const tunnels = this.#tunnels;
    if (this.#hasPolicy && !offered.includes('policy')) {
      throw new GiraffeError(
        'GIR_ERR_PROTOCOL_VERSION',
        'the edge is too old to put the policy of the tunnels in force',
      );
    }
    if (endpoints.length !== tunnels.length) {
      throw new GiraffeError('GIR_ERR_PROTOCOL', `WELCOME names ${endpoints.length} endpoints, not ${tunnels.length}`);
    }
    const served = new Map<string, AgentTunnel>();
    for (const [index, { tunnel }] of tunnels.entries()) {
      const { domain } = tunnel;
      const host = endpoints[index]?.host ?? '';
      if (domain !== undefined && parseAuthority(domain).host !== host) {
        throw new GiraffeError(
          'GIR_ERR_PROTOCOL',
          `WELCOME names ${JSON.stringify(host)} where ${domain} was asked for`,
        );
      }
      served.set(host, tunnel);
    }
    this.#tunnels = tunnels.map(({ tunnel }, index) => ({ tunnel, domain: endpoints[index]?.host }));
    return served;
  }

  /** Asks for an endpoint no more, which WELCOME named. Returns whether it would have been asked for. */
  withdraw(endpoint: string): boolean {
    const { length } = this.#tunnels;
    this.#tunnels = this.#tunnels.filter(({ domain }) => domain !== endpoint);
    return this.#tunnels.length < length;
  }

  get #hasPolicy(): boolean {
    return this.#tunnels.some(({ tunnel: { policy } }) => policy !== undefined && Object.keys(policy).length > 0);
  }

  /** Forgets names that the edge chose and does not grant any more. Returns whether there were any. */
  forgetChosenNames(): boolean {
    const hadChosen = this.#tunnels.some(({ tunnel, domain }) => tunnel.domain === undefined && domain !== undefined);
    this.#tunnels = this.#tunnels.map(({ tunnel }) => ({ tunnel, domain: tunnel.domain }));
    return hadChosen;
  }
}
