/**
 * A client's request as it goes its way, and what can still be changed about it before it does.
 */
import type { RoutingRequest } from '../extension/routing-strategy.ts';
import type { RequestHead } from '../http/message.ts';
import type { ExchangeTally } from '../telemetry/exchange-tally.ts';

/** A request prepared for its way. */
export interface PreparedRequest {
  /** The head as the agent gets it. */
  readonly head: RequestHead;
  readonly routing: RoutingRequest;
  readonly upgrade: string | undefined;
  /** Where the exchange is counted; undefined for an endpoint that is not served. */
  readonly tally: ExchangeTally | undefined;
  readonly id: string;
  /** Our name in Via fields. */
  readonly via: string;
}

/** Returns the request with another head for the agent. */
export function withHead(request: PreparedRequest, head: RequestHead): PreparedRequest {
  return head === request.head ? request : { ...request, head };
}

/** Returns the request without a field; the routing strategy still sees it. `name` is lower case. */
export function withoutField(request: PreparedRequest, name: string): PreparedRequest {
  const { head } = request;
  const fields = head.fields.filter(([fieldName]) => fieldName.toLowerCase() !== name);
  return withHead(request, { ...head, fields });
}
