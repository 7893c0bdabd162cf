/**
 * Asks the authentication providers, in their order: who an agent is, whether it still may, and who may visit an endpoint.
 *
 * The first one that allows or denies has the word. One that throws or stalls denies, but not for good: it may be its own
 * database that is down. Nothing here keeps or logs a credential.
 */
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { AgentCredential, AuthProvider, VisitorDecision } from '../extension/auth-provider.ts';
import type { ExtensionGuard, ExtensionId } from '../extension/guard.ts';
import type { RoutingRequest } from '../extension/routing-strategy.ts';
import { fieldValues } from '../http/field-line.ts';
import type { Logger } from '../telemetry/logger.ts';
import { AttemptGuard } from './attempt-guard.ts';
import { checkedAgentDecision, checkedVisitorDecision, checkedYesOrNo } from './auth-answers.ts';
import type { NamedAuthProvider, Principal } from './edge-options.ts';

/** What the authenticator works with. */
export interface AuthenticatorOptions {
  readonly logger: Logger;
  readonly guard: ExtensionGuard;
  /** Time for one answer, in milliseconds. */
  readonly timeoutMs: number;
  /** True for addresses that stand for many people, such as a proxy in front. */
  readonly isShared: (address: string) => boolean;
  /** Time by which credentials expire, in milliseconds since 1970. */
  readonly now: () => number;
}

/** What a visitor who was let in brings along. */
export interface VisitorPass {
  /** Whether the Authorization field was meant for the edge, and stays here. */
  readonly consumesAuthorization: boolean;
}

type AgentProvider = AuthProvider & Required<Pick<AuthProvider, 'authenticateAgent'>>;
type VisitorProvider = AuthProvider & Required<Pick<AuthProvider, 'authorizeVisitor'>>;

/** The providers of one edge. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #attempts: AttemptGuard;
  #providers: readonly NamedAuthProvider[] = [];
  #visitorProviders: readonly { readonly name: string; readonly provider: VisitorProvider }[] = [];

  /** @param providers In the order in which they are asked. */
  constructor(providers: readonly NamedAuthProvider[], options: AuthenticatorOptions) {
    this.#options = options;
    this.#attempts = new AttemptGuard(options.isShared, () => performance.now());
    this.use(providers);
  }

  /** Uses other providers from now on. */
  use(providers: readonly NamedAuthProvider[]): void {
    this.#providers = providers;
    this.#visitorProviders = providers.flatMap(({ name, provider }) =>
      hasVisitors(provider) ? [{ name, provider }] : [],
    );
  }

  /** Whether any provider decides about visitors; if not, requests need not come here at all. */
  get hasVisitorProviders(): boolean {
    return this.#visitorProviders.length > 0;
  }

  /** The CAs of all providers, PEM; undefined when none asks agents for certificates. */
  get clientCa(): string | undefined {
    const all = this.#providers.flatMap(({ provider }) => provider.clientCa ?? []);
    return all.length === 0 ? undefined : all.join('\n');
  }

  /**
   * Returns who an agent is.
   *
   * @throws {GiraffeError} GIR_ERR_CREDENTIALS_REFUSED, late for an address that has failed before;
   *   GIR_ERR_AUTH_THROTTLED for one that has failed too often; GIR_ERR_EXTENSION_FAULT.
   */
  async authenticateAgent(credential: AgentCredential): Promise<Principal> {
    const { address } = credential;
    this.#assertNotThrottled(address);
    for (const { name, provider } of this.#providers) {
      if (!decidesAboutAgents(provider)) continue;
      const decision = await this.#ask(name, address, async (signal) =>
        checkedAgentDecision(await provider.authenticateAgent(credential, signal)),
      );
      if (decision.kind === 'unknown') continue;
      if (decision.kind === 'deny') return this.#refuseAgent(address, name, decision.reason);
      const { principal, endpoints, expiresAt } = decision;
      const accepted = { id: `${name}:${principal}`, endpoints, expiresAt, source: { provider: name, principal } };
      const ended = this.revocation(accepted);
      return ended === undefined ? accepted : this.#refuseAgent(address, name, ended);
    }
    return this.#refuseAgent(address, undefined, 'no provider knows these credentials');
  }

  /** Returns why a session of this principal has to end, in words for its agent; undefined while it may live. Cheap. */
  revocation({ expiresAt, source }: Principal): string | undefined {
    if (expiresAt !== undefined && expiresAt.getTime() <= this.#options.now()) {
      return `the credentials expired on ${expiresAt.toISOString()}`;
    }
    const providers = this.#providers.filter(({ name }) => name === source.provider);
    if (providers.length === 0) return 'the edge does not take such credentials any more';
    try {
      const isAllowed = providers.some(({ name, provider }) =>
        this.#options.guard.call(providerId(name), () =>
          provider.isStillAllowed === undefined ? true : checkedYesOrNo(provider.isStillAllowed(source.principal)),
        ),
      );
      return isAllowed ? undefined : 'the credentials were revoked';
    } catch (error) {
      this.#logFault(source.provider, error, {});
      return 'the edge could not check the credentials any more';
    }
  }

  /**
   * Lets a visitor in.
   *
   * @throws {GiraffeError} GIR_ERR_AUTH_REQUIRED, GIR_ERR_AUTH_DENIED, GIR_ERR_AUTH_THROTTLED, GIR_ERR_EXTENSION_FAULT.
   */
  async authorizeVisitor(request: RoutingRequest): Promise<VisitorPass> {
    const { clientAddress: address } = request;
    const [authorization] = fieldValues(request.fields, 'authorization');
    if (authorization !== undefined) this.#assertNotThrottled(address);
    for (const { name, provider } of this.#visitorProviders) {
      const decision = await this.#ask(name, address, async (signal) =>
        checkedVisitorDecision(await provider.authorizeVisitor(request, authorization, signal)),
      );
      if (decision.kind === 'allow') return decision;
      if (decision.kind === 'deny') return this.#refuseVisitor(address, authorization, decision);
    }
    return { consumesAuthorization: false };
  }

  async #refuseAgent(address: string, provider: string | undefined, reason: string): Promise<never> {
    const delayMs = this.#attempts.failed(address);
    this.#options.logger.warn({ address, provider, reason, delayMs }, 'credentials of an agent refused');
    await sleep(delayMs);
    throw new GiraffeError('GIR_ERR_CREDENTIALS_REFUSED');
  }

  /** Who only has not logged in yet has not failed. */
  async #refuseVisitor(
    address: string,
    authorization: string | undefined,
    { challenge }: VisitorDecision & { readonly kind: 'deny' },
  ): Promise<never> {
    if (authorization !== undefined) await sleep(this.#attempts.failed(address));
    if (challenge === undefined) throw new GiraffeError('GIR_ERR_AUTH_DENIED');
    throw new GiraffeError('GIR_ERR_AUTH_REQUIRED', undefined, { fields: [['WWW-Authenticate', challenge]] });
  }

  #assertNotThrottled(address: string): void {
    const waitMs = this.#attempts.waitMs(address);
    if (waitMs === 0) return;
    const seconds = String(Math.ceil(waitMs / 1000));
    throw new GiraffeError('GIR_ERR_AUTH_THROTTLED', undefined, { fields: [['Retry-After', seconds]] });
  }

  /** Asks a provider; what goes wrong there is for our log alone. */
  async #ask<T>(name: string, address: string, question: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await this.#options.guard.ask(providerId(name), this.#options.timeoutMs, question);
    } catch (error) {
      this.#logFault(name, error, { address });
      throw new GiraffeError('GIR_ERR_EXTENSION_FAULT', 'the edge could not check the credentials', { cause: error });
    }
  }

  #logFault(provider: string, error: unknown, facts: object): void {
    const { cause = error } = error as Error;
    this.#options.logger.error({ provider, ...facts, err: cause }, 'an authentication provider failed');
  }
}

function providerId(name: string): ExtensionId {
  return { kind: 'auth-provider', name };
}

function decidesAboutAgents(provider: AuthProvider): provider is AgentProvider {
  return provider.authenticateAgent !== undefined;
}

function hasVisitors(provider: AuthProvider): provider is VisitorProvider {
  return provider.authorizeVisitor !== undefined;
}

async function sleep(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}
