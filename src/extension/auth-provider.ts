/**
 * The contract of authentication providers: who may open a tunnel, and who may visit an endpoint.
 */
import type { RoutingRequest } from './routing-strategy.ts';

/** What an agent presents. `token` is empty when it has none; `certificate` is its TLS client certificate, if it sent one. */
export interface AgentCredential {
  readonly token: string;
  /**
   * DER of the client certificate and its issuers, leaf first; undefined when the agent sent none, or one that TLS could
   * not verify with the {@link AuthProvider.clientCa} of any provider. A provider still has to see that the chain leads
   * to a CA of its own.
   */
  readonly certificate: readonly Buffer[] | undefined;
  /** Address of the agent, without port. */
  readonly address: string;
}

/** A provider's word. */
export type AuthDecision =
  /** Accepted. `endpoints` are patterns: `*`, `app.example.com`, `*.example.com`. */
  | {
      readonly kind: 'allow';
      /** Stable name of who it is, unique within the provider; sessions of one principal can replace each other. */
      readonly principal: string;
      readonly endpoints: readonly string[];
      readonly expiresAt: Date | undefined;
    }
  /** Refused, and no other provider is asked. `reason` is for our log alone. */
  | { readonly kind: 'deny'; readonly reason: string }
  /** Not this provider's kind of credential: the next one is asked; denied when nobody knows it. */
  | { readonly kind: 'unknown' };

/** A provider's word about a visitor. */
export type VisitorDecision =
  /** Let in. With `consumesAuthorization` the Authorization field was meant for the edge and does not reach the origin. */
  | { readonly kind: 'allow'; readonly consumesAuthorization: boolean }
  /** Refused with 401 and this challenge for WWW-Authenticate, or with 403 when there is none. */
  | { readonly kind: 'deny'; readonly challenge: string | undefined }
  /** Not an endpoint of this provider: the next one is asked; let in when no provider has a say. */
  | { readonly kind: 'unknown' };

/**
 * Decides about agents, visitors, or both. A throw or a time-out (5 s) denies. Credentials must not be logged or kept.
 * A provider without a method has no say there.
 */
export interface AuthProvider {
  /**
   * PEM of the CAs whose client certificates this provider knows. With it the tunnel ports ask every agent for a
   * certificate; agents without one can still connect.
   */
  readonly clientCa?: string;
  /** Decides whether an agent may open sessions. */
  authenticateAgent?(credential: AgentCredential, signal: AbortSignal): Promise<AuthDecision>;
  /**
   * Says whether what was allowed before still is; asked a few times a second for each live session, so it must be cheap.
   * Without it a session lives until its `expiresAt`. A throw ends the session.
   */
  isStillAllowed?(principal: string): boolean;
  /** Decides whether a visitor may use an endpoint. `authorization` is the value of the Authorization field. */
  authorizeVisitor?(
    request: RoutingRequest,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<VisitorDecision>;
}
