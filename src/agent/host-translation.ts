/**
 * Translates between the name that clients use and the one that the origin knows itself by: host header `rewrite`. Pure.
 *
 * Dev servers refuse hosts that are not theirs, and what they say about themselves (redirects, cookies) means their own
 * address. Bodies are nobody's business: links inside pages stay as they are.
 */
import { type FieldLine, type FieldLines, fieldValues } from '../http/field-line.ts';
import { isLoopbackAddress } from '../http/loopback.ts';
import { type Target, targetAuthority } from '../http/target.ts';

/** Fields of requests that hold a URL or origin of ours. */
const requestUrls = new Set(['origin', 'referer']);
/** Fields of answers that do. */
const responseUrls = new Set(['location', 'content-location', 'access-control-allow-origin']);

/** The two names of one exchange. */
export class HostTranslation {
  readonly #target: Target;
  readonly #publicAuthority: string | undefined;
  readonly #publicOrigin: string;
  readonly #ownAuthority: string;
  readonly #ownOrigin: string;

  /** @param fields The request as the edge sent it. */
  constructor(target: Target, fields: FieldLines) {
    this.#target = target;
    this.#ownAuthority = targetAuthority(target);
    this.#ownOrigin = `${target.kind === 'tcp' && target.tls ? 'https' : 'http'}://${this.#ownAuthority}`;
    const [scheme = 'http'] = fieldValues(fields, 'x-forwarded-proto');
    [this.#publicAuthority] = fieldValues(fields, 'host');
    this.#publicOrigin = `${scheme}://${this.#publicAuthority ?? ''}`;
  }

  /** Returns the fields of the request as the origin gets them: Host is its own, and so is our part in Origin and Referer. */
  request(fields: FieldLines): FieldLines {
    return fields.map((field): FieldLine => {
      const name = field[0].toLowerCase();
      if (name === 'host') return [field[0], this.#ownAuthority];
      return requestUrls.has(name) ? [field[0], this.#toOrigin(field[1])] : field;
    });
  }

  /** Returns the fields of an answer as clients get them. */
  response(fields: FieldLines): FieldLines {
    if (this.#publicAuthority === undefined) return fields;
    return fields.map((field): FieldLine => {
      const name = field[0].toLowerCase();
      if (name === 'set-cookie') return [field[0], this.#cookie(field[1])];
      return responseUrls.has(name) ? [field[0], this.#toClient(field[1])] : field;
    });
  }

  #toOrigin(value: string): string {
    const url = parsed(value);
    if (url === undefined || url.host !== this.#publicAuthority?.toLowerCase()) return value;
    return this.#ownOrigin + behindOrigin(value);
  }

  #toClient(value: string): string {
    const url = parsed(value);
    return url !== undefined && this.#isOwn(url) ? this.#publicOrigin + behindOrigin(value) : value;
  }

  /** Whether a URL means the origin: by any of the names of this machine, when that is where the origin is. */
  #isOwn(url: URL): boolean {
    if (url.host === this.#ownAuthority.toLowerCase()) return true;
    const target = this.#target;
    if (target.kind !== 'tcp') return false;
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    return port === target.port && isLoopback(target.host) && isLoopback(url.hostname);
  }

  /** A Domain that means the origin goes: the cookie is then the client's for the host that it asked (RFC 6265 section 5.3). */
  #cookie(value: string): string {
    const target = this.#target;
    const parts = value.split(';');
    const kept = parts.filter((part, index) => {
      const domain = index === 0 ? undefined : /^\s*domain\s*=\s*\.?([^\s]*)\s*$/i.exec(part)?.[1]?.toLowerCase();
      if (domain === undefined) return true;
      if (target.kind !== 'tcp') return domain !== 'localhost';
      return domain !== target.host.toLowerCase() && !(isLoopback(domain) && isLoopback(target.host));
    });
    return kept.length === parts.length ? value : kept.join(';');
  }
}

function parsed(value: string): URL | undefined {
  return /^https?:\/\//i.test(value) && URL.canParse(value) ? new URL(value) : undefined;
}

/** Returns path, query and fragment of an absolute URL as they are written. */
function behindOrigin(url: string): string {
  return /^https?:\/\/[^/?#]*(.*)$/i.exec(url)?.[1] ?? '';
}

/** A name below localhost is not meant: it may be the endpoint's own. */
function isLoopback(host: string): boolean {
  return isLoopbackAddress(host) || host.toLowerCase() === 'localhost';
}
