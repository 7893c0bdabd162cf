/**
 * Which host names agents may serve: those that they ask for and may have, and memorable ones for who asks for none.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { parseAuthority } from '../http/authority.ts';
import { endpointAllowed } from '../state/endpoint-pattern.ts';
import type { Principal } from './edge-options.ts';
import { memorableName } from './memorable-name.ts';

/** Names that are tried before none is called free: of ten million possible ones, hardly any is taken. */
const maxAttempts = 100;

/** The names that one edge grants. */
export class EndpointNames {
  readonly #baseDomain: string;
  readonly #isFree: (host: string) => boolean;

  /**
   * @param baseDomain Domain of the names that are made up.
   * @param isFree Whether no agent has, or had, a name.
   */
  constructor(baseDomain: string, isFree: (host: string) => boolean) {
    this.#baseDomain = baseDomain;
    this.#isFree = isFree;
  }

  /**
   * Returns the host that an agent may serve.
   *
   * @param wanted What it asks for; null for any.
   * @throws {GiraffeError} GIR_ERR_ENDPOINT_REFUSED.
   */
  grant(wanted: string | null, principal: Principal): string {
    if (wanted === null) return this.#freeName(principal);
    const { host, port } = authorityOf(wanted);
    if (port !== undefined)
      throw new GiraffeError('GIR_ERR_ENDPOINT_REFUSED', `"${wanted}" has a port; give the host name only`);
    if (!endpointAllowed(principal.endpoints, host)) {
      throw new GiraffeError('GIR_ERR_ENDPOINT_REFUSED', `the token does not allow ${host}`);
    }
    return host;
  }

  #freeName({ endpoints }: Principal): string {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const host = `${memorableName()}.${this.#baseDomain}`;
      if (endpointAllowed(endpoints, host) && this.#isFree(host)) return host;
    }
    throw new GiraffeError(
      'GIR_ERR_ENDPOINT_REFUSED',
      `no free name under ${this.#baseDomain} is allowed by the token; pass --domain`,
    );
  }
}

function authorityOf(text: string): ReturnType<typeof parseAuthority> {
  try {
    return parseAuthority(text);
  } catch (cause) {
    throw new GiraffeError('GIR_ERR_ENDPOINT_REFUSED', 'the endpoint is not a host name', { cause });
  }
}
