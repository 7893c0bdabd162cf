/**
 * What the redirect port does with requests: shows a CA what it asks for, and sends everybody else to HTTPS.
 */
import type { ErrorCode } from '../errors/codes.ts';
import type { GiraffeError } from '../errors/giraffe-error.ts';
import { requestHost } from '../http/authority.ts';
import type { FieldLine } from '../http/field-line.ts';
import type { ClientFacts } from '../http/forwarding.ts';
import { publicUrl } from '../http/public-url.ts';
import type { ClientExchange, ClientRequest, ExchangeOpener, Responder } from './client-ports.ts';
import { fixedResponse } from './fixed-answer.ts';

/** Where ACME CAs ask (RFC 8555 section 8.3). */
const challengePrefix = '/.well-known/acme-challenge/';

/** What a redirect port needs. */
export interface RedirectTools {
  /** Port of HTTPS, as clients write it. */
  httpsPort(): number;
  challengeAnswerFor(token: string): string | undefined;
  /** Answers what cannot be read, as the proxy port does. */
  reject(error: GiraffeError, facts: ClientFacts, responder: Responder): void;
  /** Counts a connection that is closed because of its client's silence. */
  gaveUp(code: ErrorCode, facts: ClientFacts): void;
}

/** Nobody reads the bodies of such requests. */
const finished: ClientExchange = { body: () => true, bodyEnd: () => {}, consumed: () => {}, clientFailed: () => {} };

/** Answers requests to the redirect port. */
export class RedirectOpener implements ExchangeOpener {
  readonly #tools: RedirectTools;

  constructor(tools: RedirectTools) {
    this.#tools = tools;
  }

  open({ head }: ClientRequest, responder: Responder): ClientExchange {
    const token = head.target.startsWith(challengePrefix) ? head.target.slice(challengePrefix.length) : undefined;
    const proof = token === undefined ? undefined : this.#tools.challengeAnswerFor(token);
    const { head: response, body } = fixedResponse(
      head.method,
      proof === undefined
        ? { status: 308, fields: this.#location(head.target, requestHost(head)), body: '' }
        : { status: 200, fields: [['Content-Type', 'application/octet-stream']], body: proof },
    );
    responder.head(response);
    if (body.length > 0) responder.data(body);
    responder.end([]);
    return finished;
  }

  reject(error: GiraffeError, facts: ClientFacts, responder: Responder): void {
    this.#tools.reject(error, facts, responder);
  }

  gaveUp(code: ErrorCode, facts: ClientFacts): void {
    this.#tools.gaveUp(code, facts);
  }

  #location(target: string, host: string | undefined): FieldLine[] {
    if (host === undefined) return [];
    const origin = publicUrl(host, { scheme: 'https', port: this.#tools.httpsPort() });
    return [['Location', `${origin}${target.startsWith('/') ? target : '/'}`]];
  }
}
