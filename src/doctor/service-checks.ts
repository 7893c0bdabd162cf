/** Checks of the services behind tunnels: do they listen, speak HTTP/1.1, take the Host of clients, and upgrade. */
import type { HostHeader } from '../agent/agent-options.ts';
import { targetAuthority, targetText } from '../http/target.ts';
import type { CheckId } from './catalogue.ts';
import { type Check, type CheckStatus, type Finding, failed, ok, skipped, warning } from './check.ts';
import { askHttp, connected, type HttpAnswer, targetProblem } from './http-question.ts';
import type { ServiceSubject } from './subject.ts';

const websocketFields = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: Z2lyYWZmZS1kb2N0b3ItIQ==',
];

/** The checks of the services of one agent. */
export class ServiceChecks {
  readonly #services: readonly ServiceSubject[];
  readonly #exampleHost: string;
  /** Services that answered to the check before. */
  #answering: readonly ServiceSubject[] = [];

  /** @param exampleHost Host that a client might send to a tunnel whose name the edge is to choose. */
  constructor(services: readonly ServiceSubject[], exampleHost: string) {
    this.#services = services;
    this.#exampleHost = exampleHost;
  }

  checks(): [CheckId, Check][] {
    return [
      ['origin', (signal) => this.#each(this.#services, (service) => this.#reach(service, signal))],
      ['origin-http', (signal) => this.#each(this.#answering, (service) => this.#ask(service, signal))],
      ['origin-upgrade', (signal) => this.#each(this.#answering, (service) => this.#upgrade(service, signal))],
    ];
  }

  /** Makes one finding of those of all services: the worst status, and each that is not well. */
  async #each(
    services: readonly ServiceSubject[],
    look: (service: ServiceSubject) => Promise<Finding>,
  ): Promise<Finding> {
    const all = await Promise.all(services.map(async (service) => ({ service, finding: await look(service) })));
    this.#answering = all.filter(({ finding }) => finding.status !== 'failed').map(({ service }) => service);
    const [only] = all;
    if (only === undefined) return skipped('no service answers');
    if (all.length === 1) return only.finding;
    const worst = (['failed', 'warning', 'ok'] as const).find((status) => has(all, status)) ?? 'ok';
    const told = all.filter(({ finding }) => finding.status === worst);
    const texts = told.map(({ service, finding }) => `${service.name ?? targetText(service.target)}: ${finding.saw}`);
    const saw = worst === 'ok' ? `all ${all.length}: ${texts.join('; ')}` : texts.join('; ');
    const first = told[0]?.finding;
    // As long as one service answers, the checks after this one have something to look at.
    return { status: worst, saw, next: first?.next, code: first?.code, blocks: this.#answering.length === 0 };
  }

  async #reach(service: ServiceSubject, signal: AbortSignal): Promise<Finding> {
    try {
      const socket = await connected(service, signal);
      socket.destroy();
      return ok(`${targetText(service.target)} accepts connections`);
    } catch (error) {
      const { target } = service;
      const isTls = target.kind === 'tcp' && target.tls && !('syscall' in (error as object));
      return isTls
        ? failed(
            targetProblem(target, error as Error),
            'Check the certificate of the service, --origin-ca and --origin-server-name; or use an http:// target.',
            'GIR_ERR_ORIGIN_TLS',
          )
        : failed(targetProblem(target, error as Error), undefined, 'GIR_ERR_ORIGIN_REFUSED');
    }
  }

  async #ask(service: ServiceSubject, signal: AbortSignal): Promise<Finding> {
    const own = targetAuthority(service.target);
    const host = this.#hostFor(service);
    const answer = await this.#get(service, host, signal);
    if (answer instanceof Error)
      return failed(targetProblem(service.target, answer), undefined, 'GIR_ERR_ORIGIN_CLOSED');
    const { status, version } = answer;
    if (status === undefined) {
      return failed(
        `${targetText(service.target)} does not answer in HTTP/1`,
        'Check the port; use an https:// target if the service expects TLS.',
        'GIR_ERR_ORIGIN_PROTOCOL',
      );
    }
    if (status >= 400 && host !== own) {
      const asItself = await this.#get(service, own, signal);
      const isTaken = !(asItself instanceof Error) && asItself.status !== undefined && asItself.status < 400;
      if (isTaken && service.hostHeader === 'auto') {
        return ok(`answers ${status} to Host ${host}, so --host-header auto sends ${own}`);
      }
      if (isTaken) return failed(`answers ${status} to Host ${host}, and ${asItself.status} to Host ${own}`);
    }
    const saw = `HTTP/${version}, answers ${status} to Host ${host}`;
    if (version === '1.0') {
      return warning(saw, 'Let the service speak HTTP/1.1: 1.0 has no WebSockets and a connection for each request.');
    }
    return status >= 500 ? warning(saw, 'Look at the log of the service: it fails by itself.') : ok(saw);
  }

  async #upgrade(service: ServiceSubject, signal: AbortSignal): Promise<Finding> {
    const host = service.hostHeader === 'auto' ? targetAuthority(service.target) : this.#hostFor(service);
    const answer = await this.#get(service, host, signal, websocketFields);
    if (answer instanceof Error) return warning(`breaks the connection off (${answer.message})`);
    if (answer.status === 101) return ok('accepts a WebSocket at /');
    return ok(`no WebSocket at /: answers ${answer.status ?? 'something else'}`);
  }

  async #get(
    service: ServiceSubject,
    host: string,
    signal: AbortSignal,
    fields?: readonly string[],
  ): Promise<HttpAnswer | Error> {
    const question = { path: '/', host, ...(fields === undefined ? {} : { fields }) };
    return askHttp(service, question, signal).catch((error: Error) => error);
  }

  /** What the agent sends as Host for a client that asks for the public name. */
  #hostFor({ target, domain, hostHeader }: ServiceSubject): string {
    return forwardedHost(hostHeader, domain ?? this.#exampleHost, targetAuthority(target));
  }
}

function has(all: readonly { readonly finding: Finding }[], status: CheckStatus): boolean {
  return all.some(({ finding }) => finding.status === status);
}

function forwardedHost(hostHeader: HostHeader, publicHost: string, own: string): string {
  if (typeof hostHeader === 'object') return hostHeader.value;
  return hostHeader === 'rewrite' ? own : publicHost;
}
