/**
 * Tickets: what lets a second carrier into a session. Each is good once and for a while.
 */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { Hello } from '../protocol/handshake.ts';
import type { Principal } from './edge-options.ts';
import type { EdgeSession } from './edge-session.ts';

/** How long a ticket is good for, in milliseconds. */
const ticketLifeMs = 30_000;
/**
 * Tickets of one session that are good at once; a further one takes the place of the oldest. An agent that cannot reach
 * a port leaves one behind with every attempt, and is no abuser.
 */
const maxTicketsPerSession = 4;

/** The tickets of one edge. */
export class TicketBook {
  readonly #entries = new Map<string, { readonly session: EdgeSession; readonly expiresMs: number }>();

  /** Makes a ticket for a session. */
  issue(session: EdgeSession): string {
    const nowMs = performance.now();
    const open: string[] = [];
    for (const [ticket, entry] of this.#entries) {
      if (entry.expiresMs <= nowMs) this.#entries.delete(ticket);
      else if (entry.session === session) open.push(ticket);
    }
    const [oldest] = open;
    if (oldest !== undefined && open.length >= maxTicketsPerSession) this.#entries.delete(oldest);
    const ticket = randomBytes(24).toString('base64url');
    this.#entries.set(ticket, { session, expiresMs: nowMs + ticketLifeMs });
    return ticket;
  }

  /**
   * Takes a ticket; returns the session that it is for.
   * @throws {GiraffeError} GIR_ERR_TICKET_REFUSED: it is not good, or not theirs.
   */
  redeem(ticket: string, hello: Hello, principal: Principal): EdgeSession {
    const entry = this.#entries.get(ticket);
    this.#entries.delete(ticket);
    if (entry === undefined || performance.now() >= entry.expiresMs) throw new GiraffeError('GIR_ERR_TICKET_REFUSED');
    const { identity, isAlive } = entry.session;
    const isTheirs =
      identity.principal.id === principal.id &&
      identity.agentId === hello.agentId &&
      identity.generation === hello.generation;
    if (!isAlive || !isTheirs) throw new GiraffeError('GIR_ERR_TICKET_REFUSED');
    return entry.session;
  }
}
