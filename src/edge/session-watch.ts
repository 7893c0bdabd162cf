/**
 * Ends sessions whose credentials were revoked or have expired, soon after that happened. Clients wait for none of them.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Authenticator } from './authenticator.ts';
import type { RouteTable } from './route-table.ts';

/** Time between looks, in milliseconds: with what a provider needs to notice itself, well below a second. */
const intervalMs = 250;

/** Looks after all sessions of an edge, until it is disposed of. */
export class SessionWatch implements Disposable {
  readonly #routes: RouteTable;
  readonly #authenticator: Authenticator;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;

  constructor(routes: RouteTable, authenticator: Authenticator, logger: Logger) {
    this.#routes = routes;
    this.#authenticator = authenticator;
    this.#logger = logger;
    this.#timer = setInterval(() => this.#sweep(), intervalMs);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    for (const session of [...this.#routes.sessions]) {
      const { id, principal } = session.identity;
      const reason = this.#authenticator.revocation(principal);
      if (reason === undefined) continue;
      this.#logger.warn(
        { sessionId: id, principal: principal.id, endpoints: session.endpoints, reason },
        'session ended',
      );
      const { endpoints } = session;
      this.#routes.remove(session);
      for (const host of endpoints) if (!this.#routes.isServed(host)) this.#routes.desert(host);
      session.close(new GiraffeError('GIR_ERR_CREDENTIALS_REFUSED', reason));
    }
  }
}
