/**
 * The certificate source `acme`: a certificate for each name that is served, from an ACME CA such as Let's Encrypt.
 *
 * Names come as agents open their endpoints. One is ordered at a time, kept in the state folder, and ordered again when a
 * third of its life is left, if it is served then. A name that cannot be had is tried again later and later.
 */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import * as z from 'zod';
import {
  type CertificateSource,
  defineExtension,
  type ExtensionContext,
  extensionApiVersion,
  type PemCertificate,
} from '../../extension/index.ts';
import { AcmeFiles, type KeptCertificate, keptCertificate } from './acme-files.ts';
import { AcmeOrders } from './acme-orders.ts';
import { WantedNames } from './wanted-names.ts';

const minuteMs = 60_000;
/** Time between looks at what is due, in milliseconds. */
const lookMs = 10 * minuteMs;
/** A name that failed is tried again after this long, twice as long each time, in milliseconds. */
const firstRetryMs = minuteMs;
const maxRetryMs = 6 * 60 * minuteMs;
/** Names kept at most: agents choose them, within what their tokens allow. */
const maxNames = 1000;
/** Names without a place are told this often at most, in milliseconds. */
const toldMs = 60 * minuteMs;

const options = z.strictObject({
  agreeToTerms: z
    .literal(true, { error: "true, once you have read and agree to the CA's terms of service" })
    .describe("That you agree to the CA's terms of service."),
  email: z.email().optional().describe('Where the CA writes to when a certificate is about to expire.'),
  directoryUrl: z
    .url({ protocol: /^https$/ })
    .default('https://acme-v02.api.letsencrypt.org/directory')
    .describe('The CA.'),
  directoryCaFile: z.string().optional().describe('PEM file with the CA of a directory inside a company.'),
  challenges: z
    .array(z.enum(['tls-alpn-01', 'http-01']))
    .min(1)
    .default(['tls-alpn-01', 'http-01'])
    .describe('How the CA may look: at the proxy port by way of port 443, at the redirect port by way of port 80.'),
  names: z
    .array(z.string().toLowerCase())
    .optional()
    .describe('Only these names, or all below them with `*.` (default all that are served).'),
});

/** What the source asks of {@link AcmeOrders}. */
type Orders = Pick<AcmeOrders, 'order' | 'challengeCertificates' | 'challengeAnswers'>;

interface Wanted {
  kept: KeptCertificate | undefined;
  /** Not looked at before, by the clock of the context: no jump of the machine's clock shortens or lengthens a wait. */
  notBeforeMs: number;
  retryMs: number;
}

/** Exported for tests, which order from no CA. */
export class AcmeSource implements CertificateSource, AsyncDisposable {
  readonly #names: readonly string[] | undefined;
  readonly #files: AcmeFiles;
  readonly #orders: Orders;
  readonly #context: ExtensionContext;
  readonly #wanted: WantedNames<Wanted>;
  readonly #timer: NodeJS.Timeout;
  #isEnded = false;
  #quietUntilMs = 0;
  /** The work on what is due; one at a time. */
  #work: Promise<void> | undefined;

  constructor(names: readonly string[] | undefined, orders: Orders, files: AcmeFiles, context: ExtensionContext) {
    this.#names = names;
    this.#orders = orders;
    this.#files = files;
    this.#context = context;
    this.#wanted = new WantedNames(maxNames, () => context.now());
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
  }

  want(names: readonly string[]): void {
    const refused = names
      .filter((name) => this.#isOurs(name))
      .filter((name) => !this.#wanted.ask(name, () => ({ kept: undefined, notBeforeMs: 0, retryMs: firstRetryMs })));
    if (refused.length > 0) this.#tellRefused(refused);
    this.#look();
  }

  certificateFor(serverName: string): PemCertificate | undefined {
    return this.#wanted.get(serverName)?.kept;
  }

  challengeCertificateFor(serverName: string): PemCertificate | undefined {
    return this.#orders.challengeCertificates.get(serverName);
  }

  challengeAnswerFor(token: string): string | undefined {
    return this.#orders.challengeAnswers.get(token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    clearInterval(this.#timer);
    await this.#files[Symbol.asyncDispose]();
  }

  /** A CA signs names of the public DNS, and no addresses. */
  #isOurs(name: string): boolean {
    if (isIP(name) !== 0 || name.startsWith('[') || !name.includes('.')) return false;
    if (this.#names === undefined) return true;
    return this.#names.some((one) => one === name || (one.startsWith('*.') && name.endsWith(one.slice(1))));
  }

  /** Agents may open one name after the other; one line says it for all. */
  #tellRefused(names: readonly string[]): void {
    const nowMs = this.#context.now();
    if (nowMs < this.#quietUntilMs) return;
    this.#quietUntilMs = nowMs + toldMs;
    const detail = `${maxNames} others are served; the option names can say which ones matter`;
    this.#context.logger.warn({ name: names[0], count: names.length, detail }, 'no place for a certificate');
  }

  #look(): void {
    this.#work ??= this.#orderDue().finally(() => {
      this.#work = undefined;
    });
  }

  async #orderDue(): Promise<void> {
    for (;;) {
      const due = [...this.#wanted.served()].find(([, wanted]) => this.#isDue(wanted));
      if (due === undefined || this.#isEnded) return;
      await this.#renew(...due);
    }
  }

  async #renew(name: string, wanted: Wanted): Promise<void> {
    const { logger } = this.#context;
    try {
      wanted.kept ??= await this.#files.read(name);
      if (!this.#isDue(wanted)) return;
      const made = await this.#orders.order(name);
      await this.#files.write(name, made);
      wanted.kept = keptCertificate(made.certPem, made.keyPem);
      if (wanted.kept === undefined || renewalMs(wanted.kept) <= Date.now()) {
        // To order at once again, and again, is what CAs lock accounts for.
        wanted.retryMs = maxRetryMs;
        throw new Error('the new certificate is to be renewed already: is the clock of this machine right?');
      }
      wanted.retryMs = firstRetryMs;
      logger.info({ name }, 'certificate obtained');
    } catch (error) {
      wanted.notBeforeMs = this.#context.now() + wanted.retryMs;
      logger.warn({ name, err: error, retryMs: wanted.retryMs }, 'no certificate could be obtained');
      wanted.retryMs = Math.min(wanted.retryMs * 2, maxRetryMs);
    }
  }

  /** By the wall clock as it is now: clients judge certificates by theirs. */
  #isDue({ kept, notBeforeMs }: Wanted): boolean {
    return notBeforeMs <= this.#context.now() && (kept === undefined || renewalMs(kept) <= Date.now());
  }
}

/** When a third of the certificate's life is left, in milliseconds since 1970. */
function renewalMs({ validFromMs, validToMs }: KeptCertificate): number {
  return validToMs - (validToMs - validFromMs) / 3;
}

/** The source as an extension. */
export const acme = defineExtension({
  apiVersion: extensionApiVersion,
  kind: 'certificate-source',
  name: 'acme',
  summary: "Certificates for all names that are served, from Let's Encrypt or another ACME CA.",
  options,
  create: async ({ names, email, directoryUrl, directoryCaFile, challenges }, context) => {
    const caFile = directoryCaFile && resolve(context.configDir, directoryCaFile);
    const directoryCa = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
    const files = await AcmeFiles.open(context, directoryUrl);
    const orders = new AcmeOrders({ directoryUrl, email, challenges, directoryCa }, files);
    return new AcmeSource(names, orders, files, context);
  },
});
