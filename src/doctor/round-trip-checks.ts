/** Checks of the whole chain: the public name, a request, and a WebSocket, through a short-lived tunnel of the doctor's own. */
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns';
import { lookup as lookupAddress } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { WebSocket } from 'ws';
import { isCertificateError } from '../agent/certificate-error.ts';
import { codes, type ErrorCode, isErrorCode } from '../errors/codes.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { isLoopbackName } from '../http/loopback.ts';
import type { Welcome } from '../protocol/handshake.ts';
import type { CheckId } from './catalogue.ts';
import { type Check, type Finding, failed, ok, skipped, warning } from './check.ts';
import type { WaySubject } from './subject.ts';
import { TrialTunnel, trialGreeting } from './trial-tunnel.ts';
import type { WayChecks } from './way-checks.ts';

/** Octets of an answer that are read. */
const maxBodyBytes = 16 * 1024;

/** The checks behind the handshakes. */
export class RoundTripChecks implements AsyncDisposable {
  readonly #way: WaySubject;
  readonly #wayChecks: WayChecks;
  #tunnel: TrialTunnel | undefined;
  /** Whether the names of the edge lead anywhere from here; if not, requests go to the edge's address. */
  #isResolvable = false;
  /** Why clients do not trust the certificate of the public URL; undefined when they do, or there is none. */
  #distrust: Error | undefined;

  constructor(way: WaySubject, wayChecks: WayChecks) {
    this.#way = way;
    this.#wayChecks = wayChecks;
  }

  checks(): [CheckId, Check][] {
    return [
      ['public-dns', () => this.#resolve()],
      ['round-trip', (signal) => this.#request(signal)],
      ['websocket', (signal) => this.#websocket(signal)],
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tunnel?.[Symbol.asyncDispose]();
  }

  async #resolve(): Promise<Finding> {
    const hosts = (this.#welcome?.endpoints ?? []).map(({ host }) => host);
    const outcomes = await Promise.all(hosts.map(addressOf));
    const lost = hosts.filter((_, index) => outcomes[index] === undefined);
    this.#isResolvable = lost.length === 0 && !hosts.some(isLoopbackName);
    if (lost.length > 0) return warning(`there is no address for ${lost.join(', ')}`);
    const isChosen = this.#way.domains.every((domain) => domain === undefined);
    // A name that the edge chooses is another one each time: what matters is what it stands under.
    const name = (host: string): string => (isChosen ? host.replace(/^[^.]+/, '*') : host);
    return ok(hosts.map((host, index) => `${name(host)} is ${outcomes[index]}`).join('; '));
  }

  async #request(signal: AbortSignal): Promise<Finding> {
    const { server, token, trust, clientCertificate } = this.#way;
    try {
      this.#tunnel = await TrialTunnel.open(
        { server, token: token.value ?? '', trust, clientCertificate, transport: this.#transport() },
        signal,
      );
    } catch (error) {
      const { code, message, entry } = GiraffeError.from(error);
      if (code === 'GIR_ERR_ENDPOINT_REFUSED') return this.#visit(signal);
      return failed(message, entry.fix, code);
    }
    const url = new URL(this.#tunnel.url);
    const path = `/${randomBytes(8).toString('hex')}`;
    const startedMs = performance.now();
    const answer = await this.#ask(url, path, signal);
    if (answer instanceof Error) return this.#unreachable(url, answer);
    const ms = Math.ceil(performance.now() - startedMs);
    const { status, body } = answer;
    if (status !== 200 || body !== `${trialGreeting} ${path}`) return refusal(status, body);
    return this.#trusted(`${url.host}: there and back in ${ms} ms`);
  }

  /** The token allows no tunnel of our own: asks the endpoint that it is for, as any visitor might. */
  async #visit(signal: AbortSignal): Promise<Finding> {
    const own = this.#welcome?.endpoints[0];
    if (own === undefined) return skipped("the token allows no name of the edge's choice");
    const url = new URL(own.url);
    const answer = await this.#ask(url, '/', signal);
    if (answer instanceof Error) return this.#unreachable(url, answer);
    const code = failureCode(answer.body);
    if (code === 'GIR_ERR_NO_UPSTREAM' || code === 'GIR_ERR_ENDPOINT_UNKNOWN') {
      return skipped(`the token is for ${own.host} alone, which no agent serves now: start it and look again`);
    }
    if (code !== undefined) return refusal(answer.status, answer.body);
    return this.#trusted(`${url.host} answers ${answer.status} through the edge`);
  }

  /** As a client would, and once more without verification when that is what fails: the rest of the way matters too. */
  async #ask(url: URL, path: string, signal: AbortSignal): Promise<Answer | Error> {
    const options = { lookup: this.#lookup, signal };
    const answer = await ask(url, path, { ...options, rejectUnauthorized: true }).catch((error: Error) => error);
    if (!(answer instanceof Error) || !isCertificateError(answer)) return answer;
    this.#distrust = answer;
    return ask(url, path, { ...options, rejectUnauthorized: false }).catch((error: Error) => error);
  }

  #trusted(saw: string): Finding {
    if (this.#distrust === undefined) return ok(saw);
    return warning(
      `${saw}, but clients do not trust the certificate: ${this.#distrust.message}`,
      'Give the public URL a certificate of a public CA, or let its clients trust the CA of the edge.',
    );
  }

  async #websocket(signal: AbortSignal): Promise<Finding> {
    if (this.#tunnel === undefined) return skipped("the token allows no tunnel of the doctor's own");
    const url = new URL(this.#tunnel.url);
    url.protocol = url.protocol.replace('http', 'ws');
    const message = randomBytes(8).toString('hex');
    const startedMs = performance.now();
    try {
      const options = { lookup: this.#lookup, signal, rejectUnauthorized: this.#distrust === undefined };
      const echo = await echoed(url, message, options);
      const ms = Math.ceil(performance.now() - startedMs);
      return echo === message ? ok(`a message came back in ${ms} ms`) : failed('another message came back');
    } catch (error) {
      return failed((error as Error).message, undefined, 'GIR_ERR_UPGRADE_FAILED');
    }
  }

  #unreachable(url: URL, error: NodeJS.ErrnoException): Finding {
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    return failed(
      `${url.host} cannot be asked: ${error.code ?? error.message}`,
      `Open port ${port} of the edge, or ask it through the web server in front of it.`,
    );
  }

  get #welcome(): Welcome | undefined {
    const { welcomes } = this.#wayChecks;
    return welcomes.get('grpc') ?? welcomes.get('tls');
  }

  /** Only what has shaken hands is used, so that nothing is waited for in vain. */
  #transport(): WaySubject['transport'] {
    const { welcomes } = this.#wayChecks;
    if (welcomes.size > 1) return this.#way.transport;
    return welcomes.has('grpc') ? 'grpc' : 'tcp';
  }

  /** Finds the edge by the public name if that leads anywhere, else by the name of --server. */
  get #lookup(): LookupFunction {
    const { host } = this.#way.server;
    return this.#isResolvable ? lookup : (_name, options, callback) => lookup(host, options, callback as never);
  }
}

/** Returns the address of a host, in words; undefined when there is none. */
async function addressOf(host: string): Promise<string | undefined> {
  if (isIP(host) !== 0) return host;
  // RFC 6761 section 6.3: browsers know it without a resolver.
  const unresolved = isLoopbackName(host)
    ? 'this machine for browsers and curl, and unknown to its resolver'
    : undefined;
  return lookupAddress(host).then(
    ({ address }) => (isLoopbackName(host) ? 'this machine' : address),
    () => unresolved,
  );
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** How a request finds its way. */
interface AskOptions {
  readonly lookup: LookupFunction;
  readonly signal: AbortSignal;
  readonly rejectUnauthorized: boolean;
}

function ask(url: URL, path: string, options: AskOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = { Accept: 'application/json', 'User-Agent': 'giraffe-doctor', Connection: 'close' };
    const request = send(new URL(path, url), { ...options, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body = (body + text).slice(0, maxBodyBytes);
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('error', reject);
    request.end();
  });
}

function echoed(url: URL, message: string, { signal, ...options }: AskOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { ...options, perMessageDeflate: false });
    signal.addEventListener('abort', () => socket.terminate());
    socket.on('error', (error) => reject(signal.aborted ? signal.reason : error));
    socket.on('open', () => socket.send(message));
    let echo: string | undefined;
    socket.on('message', (data) => {
      echo = data.toString();
      // In order, so that the edge has no broken relay to tell of.
      socket.close();
    });
    socket.on('close', (code) => {
      if (echo === undefined) reject(new Error(`it was closed with ${code} before the message came back`));
      else resolve(echo);
    });
  });
}

/** Returns the code in a failure response of an edge; undefined in any other answer. */
function failureCode(body: string): ErrorCode | undefined {
  const code = /"code": ?"(GIR_ERR_[A-Z_]+)"/.exec(body)?.[1] ?? '';
  return isErrorCode(code) ? code : undefined;
}

/** Says what another answer than the one of the doctor's own service means. */
function refusal(status: number, body: string): Finding {
  const code = failureCode(body);
  if (code === undefined) {
    return failed(
      `something else than the tunnel answers, with status ${status}`,
      'Point what stands in front of the edge at its proxy port, with the Host unchanged.',
    );
  }
  const { summary, fix } = codes[code];
  if (code === 'GIR_ERR_AUTH_REQUIRED') {
    return {
      ...warning('the edge lets only visitors in that log in', 'Nothing to do if that is wanted.'),
      blocks: true,
    };
  }
  return failed(`status ${status}: ${summary}`, fix, code);
}
