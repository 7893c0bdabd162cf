/**
 * What the proxy port shows to clients by the name they ask for: the certificates of a source, ready for TLS.
 */
import { createSecureContext, type SecureContext } from 'node:tls';
import type { CertificateSource, PemCertificate } from '../extension/certificate-source.ts';
import type { ExtensionGuard, ExtensionId } from '../extension/guard.ts';
import type { Logger } from '../telemetry/logger.ts';

/** The source hears this often what is served, in milliseconds. */
const repeatMs = 3_600_000;

/** A source and its name in the configuration. */
export interface NamedCertificateSource {
  readonly name: string;
  readonly source: CertificateSource;
}

/** The certificates of a source. */
export class ServedCertificates {
  readonly #source: CertificateSource;
  readonly #id: ExtensionId;
  readonly #guard: ExtensionGuard;
  readonly #logger: Logger;
  readonly #contexts = new WeakMap<PemCertificate, SecureContext>();

  constructor({ name, source }: NamedCertificateSource, guard: ExtensionGuard, logger: Logger) {
    this.#source = source;
    this.#id = { kind: 'certificate-source', name };
    this.#guard = guard;
    this.#logger = logger;
  }

  /** Tells the source what is served, now and every hour until the result is disposed. */
  keepWanting(served: () => readonly string[]): Disposable {
    this.want(served());
    const timer = setInterval(() => this.want(served()), repeatMs).unref();
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** Tells the source what is served. */
  want(names: readonly string[]): void {
    this.#ask(() => this.#source.want(names));
  }

  /** Returns what stands for a name; undefined leaves it to the port's own certificate. */
  contextFor(serverName: string): SecureContext | undefined {
    return this.#context(() => this.#source.certificateFor(serverName.toLowerCase()));
  }

  /** Returns what proves to a CA that a name is served here. */
  challengeContextFor(serverName: string): SecureContext | undefined {
    return this.#context(() => this.#source.challengeCertificateFor?.(serverName.toLowerCase()));
  }

  challengeAnswerFor(token: string): string | undefined {
    return this.#ask(() => this.#source.challengeAnswerFor?.(token));
  }

  #context(find: () => PemCertificate | undefined): SecureContext | undefined {
    return this.#ask(() => {
      const found = find();
      if (found === undefined) return undefined;
      const known = this.#contexts.get(found);
      if (known !== undefined) return known;
      const made = createSecureContext({ cert: found.certPem, key: found.keyPem });
      this.#contexts.set(found, made);
      return made;
    });
  }

  /** A source that fails has no certificate. */
  #ask<T>(work: () => T): T | undefined {
    try {
      return this.#guard.call(this.#id, work);
    } catch (error) {
      this.#logger.error({ err: error }, 'the certificate source failed');
      return undefined;
    }
  }
}
