/**
 * The ports of an edge for clients: the proxy port, over TLS if it has a certificate, and perhaps one that sends plain
 * HTTP to it.
 */
import type { ExtensionGuard } from '../extension/guard.ts';
import { ClientListener } from './client-listener.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { EdgeOptions } from './edge-options.ts';
import type { EdgePolicy } from './policy/policy-gate.ts';
import { RedirectOpener } from './redirect-opener.ts';
import { ServedCertificates } from './served-certificates.ts';

/** What the ports need of their edge. */
export interface ClientListenersContext {
  readonly options: EdgeOptions;
  readonly guard: ExtensionGuard;
  readonly dispatcher: Dispatcher;
  /** Whether the peer at an address is a proxy whose word about its clients is believed. */
  readonly isTrusted: (address: string) => boolean;
  /** Endpoints that clients may ask for now, without those that pass. */
  readonly endpoints: () => readonly string[];
}

/** Ports that are listened on; `redirect` is absent without one. */
export interface ClientPorts {
  readonly proxy: number;
  readonly redirect?: number;
}

/** All ports for clients. */
export class ClientListeners {
  readonly #options: EdgeOptions;
  readonly #proxy: ClientListener;
  readonly #redirects: ClientListener;
  readonly #all: readonly ClientListener[];
  readonly #served: ServedCertificates | undefined;
  readonly #endpoints: () => readonly string[];
  #proxyPort = 0;
  #wanting: Disposable | undefined;

  /** @throws {GiraffeError} GIR_ERR_CONFIG for a PROXY protocol peer that is no address or network. */
  constructor({ options, guard, dispatcher, isTrusted, endpoints }: ClientListenersContext) {
    const { certificateSource, logger, proxyCertificate: certificate, publicUrls } = options;
    const served = certificateSource && new ServedCertificates(certificateSource, guard, logger);
    const redirects = new RedirectOpener({
      httpsPort: () => publicUrls?.port ?? this.#proxyPort,
      challengeAnswerFor: (token) => served?.challengeAnswerFor(token),
      reject: (...refusal) => dispatcher.reject(...refusal),
      gaveUp: (...end) => dispatcher.gaveUp(...end),
    });
    this.#options = options;
    this.#endpoints = endpoints;
    this.#served = served;
    this.#proxy = new ClientListener(options, isTrusted, dispatcher, certificate && { certificate, served });
    this.#redirects = new ClientListener(options, isTrusted, redirects);
    this.#all = [this.#proxy, this.#redirects];
  }

  /** Open connections to the proxy port, a count. */
  get connections(): number {
    return this.#proxy.connections;
  }

  async listen(): Promise<ClientPorts> {
    const { proxy, redirect } = this.#options;
    this.#proxyPort = await this.#proxy.listen(proxy);
    this.#wanting = this.#served?.keepWanting(() => [this.#options.baseDomain, ...this.#endpoints()]);
    if (redirect === undefined) return { proxy: this.#proxyPort };
    return { proxy: this.#proxyPort, redirect: await this.#redirects.listen(redirect) };
  }

  /** These endpoints are served from now on: clients may ask for their certificates. */
  serve(endpoints: readonly string[]): void {
    this.#served?.want(endpoints);
  }

  /** Uses another certificate for new connections, if the proxy port speaks TLS. */
  reload(certificate: EdgeOptions['certificate']): void {
    this.#proxy.reload(certificate);
  }

  /** Takes note of other bounds in the options. */
  limitsChanged(): void {
    for (const listener of this.#all) listener.limitsChanged();
  }

  /** Puts other limits in force for new connections. */
  changePolicy(policy: EdgePolicy): void {
    for (const listener of this.#all) listener.changePolicy(policy);
  }

  /** Stops accepting, closes idle connections, and lets busy ones finish what they are answering. */
  drain(): void {
    for (const listener of this.#all) listener.drain();
  }

  /** Resolves when no client connection is open any more. */
  async closed(): Promise<void> {
    await Promise.all(this.#all.map((listener) => listener.closed()));
  }

  close(): void {
    this.#wanting?.[Symbol.dispose]();
    for (const listener of this.#all) listener.close();
  }
}
