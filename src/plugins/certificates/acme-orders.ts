/**
 * Gets certificates from an ACME CA (RFC 8555), one after the other, and answers the CA's questions meanwhile.
 */
import { Agent } from 'node:https';
import type { PemCertificate } from '../../extension/index.ts';
import type { AcmeFiles } from './acme-files.ts';

/** How often the CA is asked how far it is: after one second, then twice as long each time. Times in milliseconds. */
const polling = { backoffMin: 1000, backoffMax: 30_000, backoffAttempts: 10 };

/** Time for one answer of the CA, in milliseconds: orders wait for each other, and a CA may be silent for ever. */
const usualAnswerMs = 30_000;
/** No answer of a CA is nearly as large, in octets. */
const maxAnswerBytes = 1024 * 1024;

/** What an account is opened with. */
export interface AcmeAccount {
  readonly directoryUrl: string;
  readonly email: string | undefined;
  /** Kinds of challenge, the preferred one first. */
  readonly challenges: readonly string[];
  /** PEM of a CA of the directory's own, for CAs inside a company. */
  readonly directoryCa: string | undefined;
}

/** Orders certificates. */
export class AcmeOrders {
  readonly #account: AcmeAccount;
  readonly #files: AcmeFiles;
  readonly #answerMs: number;
  /** Certificates that a CA looks for (RFC 8737), by name. */
  readonly challengeCertificates = new Map<string, PemCertificate>();
  /** Answers that a CA asks for (RFC 8555 section 8.3), by token. */
  readonly challengeAnswers = new Map<string, string>();

  /** @param answerMs Time for one answer of the CA, in milliseconds. */
  constructor(account: AcmeAccount, files: AcmeFiles, answerMs = usualAnswerMs) {
    this.#account = account;
    this.#files = files;
    this.#answerMs = answerMs;
  }

  /** Returns a new certificate for a name. Rejects with what the CA said. */
  async order(name: string): Promise<PemCertificate> {
    // Loaded only where it is used: it is large.
    const { default: acme } = await import('acme-client');
    const { directoryUrl, email, challenges, directoryCa } = this.#account;
    // Whoever orders tries again later: the client's own retries wait for days if a Retry-After says so, which would keep
    // the other names waiting, and lose why a request had no answer.
    acme.axios.interceptors.request.clear();
    acme.axios.interceptors.response.clear();
    Object.assign(acme.axios.defaults, { timeout: this.#answerMs, maxContentLength: maxAnswerBytes });
    if (directoryCa !== undefined) acme.axios.defaults.httpsAgent = new Agent({ ca: directoryCa });
    const account = await this.#files.account(async () => {
      const key = await acme.crypto.createPrivateEcdsaKey();
      const opening = new acme.Client({ directoryUrl, accountKey: key });
      const contact = email === undefined ? {} : { contact: [`mailto:${email}`] };
      await opening.createAccount({ termsOfServiceAgreed: true, ...contact });
      return { keyPem: String(key), url: opening.getAccountUrl() };
    });
    const client = new acme.Client({ directoryUrl, accountKey: account.keyPem, accountUrl: account.url, ...polling });
    const [keyPem, csr] = await acme.crypto.createCsr(
      { commonName: name, altNames: [name] },
      await acme.crypto.createPrivateEcdsaKey(),
    );
    const certPem = await client.auto({
      csr,
      challengePriority: [...challenges],
      // The CA will look; the edge may not reach its own public address.
      skipChallengeVerification: true,
      challengeCreateFn: async (authorization, challenge, keyAuthorization) => {
        if (challenge.type === 'http-01') return void this.challengeAnswers.set(challenge.token, keyAuthorization);
        const [key, certificate] = await acme.crypto.createAlpnCertificate(authorization, keyAuthorization);
        this.challengeCertificates.set(authorization.identifier.value, {
          certPem: String(certificate),
          keyPem: String(key),
        });
      },
      challengeRemoveFn: async (authorization, challenge) => {
        this.challengeAnswers.delete(challenge.token);
        this.challengeCertificates.delete(authorization.identifier.value);
      },
    });
    return { certPem, keyPem: String(keyPem) };
  }
}
