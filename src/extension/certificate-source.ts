/**
 * The contract of certificate sources: where the proxy port of an edge gets the certificates for the names of its clients.
 */

/** A certificate with its chain, leaf first, and its key: both PEM. */
export interface PemCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/**
 * Keeps certificates for the names that an edge serves.
 *
 * Its methods are called in the middle of TLS handshakes and requests: they answer at once, from memory. What takes time
 * goes on behind them. The same object stands for the same certificate, so that the edge need not read it each time.
 */
export interface CertificateSource {
  /**
   * These names are served: the base domain, endpoints as agents open them. Lower case. The edge repeats those that are
   * served on every hour; one that it does not name for a day is served no longer.
   */
  want(names: readonly string[]): void;
  /** Returns the certificate for the name that a client asks for, lower case; undefined for the edge's usual one. */
  certificateFor(serverName: string): PemCertificate | undefined;
  /**
   * Returns the certificate that proves to a CA that the name is served here, while a CA looks for it.
   *
   * @see RFC 8737 section 3 (TLS with Application-Layer Protocol Negotiation Challenge)
   */
  challengeCertificateFor?(serverName: string): PemCertificate | undefined;
  /**
   * Returns the answer to `GET /.well-known/acme-challenge/TOKEN` over plain HTTP, while a CA asks for it.
   *
   * @see RFC 8555 section 8.3 (HTTP Challenge)
   */
  challengeAnswerFor?(token: string): string | undefined;
}
