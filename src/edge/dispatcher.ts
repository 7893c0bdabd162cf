/**
 * Admits requests: gives each its id, checks what can be refused at once,
 * prepares the head for the agent, and writes down what became of it.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { ErrorCode } from '../errors/codes.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { ExtensionGuard } from '../extension/guard.ts';
import { requestHost } from '../http/authority.ts';
import { fieldValues } from '../http/field-line.ts';
import { type ClientFacts, forwardedRequest, isValidRequestId, passesVia } from '../http/forwarding.ts';
import type { RequestHead } from '../http/message.ts';
import type { Authenticator } from './authenticator.ts';
import type { ClientExchange, ClientRequest, ExchangeOpener, Responder } from './client-ports.ts';
import type { EdgeEvents } from './edge-events.ts';
import type { EdgeOptions } from './edge-options.ts';
import { Exchange, type ExchangeContext } from './exchange.ts';
import type { EdgeFigures } from './figures.ts';
import type { Outcome } from './outcome.ts';
import { freeAdmission } from './policy/admission.ts';
import { clientAddress } from './policy/client-address.ts';
import type { PolicyGate } from './policy/policy-gate.ts';
import type { PreparedRequest } from './prepared-request.ts';
import type { RouteTable } from './route-table.ts';
import { Router } from './router.ts';

/** What the dispatcher needs from the edge. */
export interface DispatcherContext {
  readonly options: EdgeOptions;
  readonly routes: RouteTable;
  readonly figures: EdgeFigures;
  readonly events: EdgeEvents;
  readonly authenticator: Authenticator;
  readonly policies: PolicyGate;
  readonly guard: ExtensionGuard;
  /** Whether the peer at an address is a proxy whose word about its clients is believed. */
  readonly isTrusted: (address: string) => boolean;
}

/** The way of client requests into the tunnels. */
export class Dispatcher implements ExchangeOpener {
  readonly #options: EdgeOptions;
  readonly #figures: EdgeFigures;
  readonly #events: EdgeEvents;
  readonly #authenticator: Authenticator;
  readonly #policies: PolicyGate;
  readonly #isTrusted: (address: string) => boolean;
  readonly #context: ExchangeContext;
  /** Makes our Via names differ from those of other edges. */
  readonly #edgeId = randomBytes(8).toString('hex');
  readonly #viaNames = new Map<string, string>();
  /** Exchanges and relays, a count. */
  #inFlight = 0;
  #onIdle: (() => void) | undefined;

  constructor({ options, routes, figures, events, authenticator, policies, guard, isTrusted }: DispatcherContext) {
    this.#options = options;
    this.#figures = figures;
    this.#events = events;
    this.#authenticator = authenticator;
    this.#policies = policies;
    this.#isTrusted = isTrusted;
    this.#context = {
      routes,
      router: new Router(routes, options, guard),
      get limits() {
        return options.limits;
      },
      onOutcome: (exchange, outcome) => this.#finished(exchange, outcome),
    };
  }

  /** Resolves when nothing is in flight. */
  async idle(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  open(request: ClientRequest, responder: Responder): ClientExchange {
    const prepared = this.#prepare(request);
    const exchange = new Exchange(prepared, responder, this.#context);
    this.#inFlight += 1;
    const refusal = refusalOf(request.head, prepared);
    if (refusal === undefined) this.#govern(exchange, request.head);
    else exchange.refuse(refusal);
    return exchange;
  }

  reject(error: GiraffeError, facts: ClientFacts, responder: Responder): void {
    const id = newRequestId();
    this.#figures.rejected(error.code);
    this.#options.logger.info(
      { requestId: id, client: facts.address, status: error.entry.status, code: error.code, detail: error.message },
      'request refused',
    );
    responder.fail(error, id);
  }

  gaveUp(code: ErrorCode, { address }: ClientFacts): void {
    this.#figures.gaveUp(code);
    this.#options.logger.debug({ client: address, code }, 'client connection closed');
  }

  /** Asks the policies, then goes on. */
  #govern(exchange: Exchange, { body }: RequestHead): void {
    const announcedBytes = body.kind === 'length' ? body.lengthBytes : 0;
    const verdict = this.#policies.admit({ routing: exchange.request.routing, announcedBytes });
    if (verdict.kind === 'refused') return exchange.refuse(verdict.error);
    if (verdict.kind === 'answered') return exchange.answer({ status: 204, fields: verdict.fields, body: '' });
    if (verdict.admission !== freeAdmission) exchange.govern(verdict.admission);
    if (this.#authenticator.hasVisitorProviders) void this.#admit(exchange);
    else exchange.start();
  }

  /** Asks who the visitor is before the request goes anywhere. */
  async #admit(exchange: Exchange): Promise<void> {
    try {
      const { consumesAuthorization } = await this.#authenticator.authorizeVisitor(exchange.request.routing);
      if (consumesAuthorization) exchange.withhold('authorization');
      exchange.start();
    } catch (error) {
      exchange.refuse(GiraffeError.from(error));
    }
  }

  /** Makes the request as it goes its way, and counts that it began. */
  #prepare({ head, facts, upgrade }: ClientRequest): PreparedRequest {
    const host = requestHost(head) ?? '';
    const [wanted = ''] = fieldValues(head.fields, 'x-request-id');
    const id = isValidRequestId(wanted) ? wanted : newRequestId();
    const via = this.#viaName(host);
    return {
      head: forwardedRequest(head, facts, via, id),
      routing: {
        method: head.method,
        host,
        path: pathOf(head.target),
        fields: head.fields,
        isUpgrade: upgrade !== undefined,
        clientAddress: facts.isTrustedProxy
          ? clientAddress(head.fields, facts.address, this.#isTrusted)
          : facts.address,
      },
      upgrade,
      tally: this.#figures.started(host),
      id,
      via,
    };
  }

  /**
   * Our pseudonym in Via (RFC 9110 section 7.6.3). One for each endpoint, so that an origin may call another
   * endpoint of the same edge without looking like a loop.
   */
  #viaName(host: string): string {
    const known = this.#viaNames.get(host);
    if (known !== undefined) return known;
    const name = `giraffe-${createHash('sha256').update(`${this.#edgeId} ${host}`).digest('hex').slice(0, 12)}`;
    if (this.#viaNames.size >= maxViaNames) this.#viaNames.clear();
    this.#viaNames.set(host, name);
    return name;
  }

  #tell({ id, routing }: PreparedRequest, { error, session, ...outcome }: Outcome): void {
    const { host, method, path, clientAddress } = routing;
    this.#events.emit({
      type: 'exchange',
      requestId: id,
      domain: host,
      method,
      path,
      client: clientAddress,
      code: error?.code,
      sessionId: session?.identity.id,
      ...outcome,
    });
  }

  #finished(exchange: Exchange, outcome: Outcome): void {
    const { request } = exchange;
    this.#inFlight -= 1;
    this.#figures.finished(request.tally, outcome, request.upgrade);
    this.#options.logger.info(
      {
        requestId: request.id,
        client: request.routing.clientAddress,
        method: request.routing.method,
        host: request.routing.host,
        path: request.routing.path,
        status: outcome.status,
        durationMs: Math.round(outcome.durationMs * 100) / 100,
        requestBytes: outcome.requestBytes,
        responseBytes: outcome.responseBytes,
        transport: outcome.transport,
        sessionId: outcome.session?.identity.id,
        code: outcome.error?.code,
        detail: outcome.error?.message,
      },
      outcome.isRelay ? 'relay ended' : 'exchange ended',
    );
    if (this.#events.isWatched) this.#tell(request, outcome);
    if (this.#inFlight === 0) this.#onIdle?.();
  }
}

/** Names of this many endpoints are remembered; clients can make up hosts at will. */
const maxViaNames = 1000;

function refusalOf(head: RequestHead, { routing, via }: PreparedRequest): GiraffeError | undefined {
  if (head.method === 'CONNECT') return new GiraffeError('GIR_ERR_METHOD_UNSUPPORTED');
  if (routing.host === '') return new GiraffeError('GIR_ERR_ENDPOINT_UNKNOWN');
  return passesVia(head.fields, via) ? new GiraffeError('GIR_ERR_LOOP') : undefined;
}

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

/** Octets of one request id. */
const idBytes = 12;
/** Ids made from one call to the random number generator, which costs more than all of their text. */
const idsPerDraw = 256;
let drawn = Buffer.alloc(0);

function newRequestId(): string {
  if (drawn.length === 0) drawn = randomBytes(idBytes * idsPerDraw);
  const id = drawn.toString('base64url', 0, idBytes);
  drawn = drawn.subarray(idBytes);
  return id;
}
