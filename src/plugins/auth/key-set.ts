/**
 * The key set of an issuer (RFC 7517 section 5): fetched when it is needed, kept, and used on for a while when its address
 * does not answer. A fetch that fails proves nothing about a token.
 */

import type { FlattenedJWSInput, JSONWebKeySet, JWSHeaderParameters, JWTVerifyGetKey } from 'jose';
import { durationText } from '../../errors/duration-text.ts';
import type { Logger } from '../../extension/index.ts';

/** Time for a key set, in milliseconds: the edge gives a provider 5 s. */
const fetchTimeoutMs = 4000;
/** Far above the key sets of the large issuers, which have a few kilobytes. */
const maxSetBytes = 1024 * 1024;
/** A key set is fetched anew when it is this old, in milliseconds; a key that is not in it is looked for at once. */
const maxAgeMs = 600_000;
/** Without an answer a key set is used up to this age, in milliseconds: a key that its issuer gave up is good no longer. */
const maxStaleMs = 24 * 3_600_000;

/** What a key set depends on. */
export interface KeySetContext {
  /** Milliseconds of a clock that does not jump. */
  now(): number;
  /** Told when the keys that are kept could not be renewed. */
  readonly logger: Pick<Logger, 'warn'>;
  /** Least time between two fetches while there are keys, in milliseconds: made-up key ids cause no flood of them. */
  readonly cooldownMs: number;
}

type FindKey = ReturnType<typeof import('jose').createLocalJWKSet>;

/** Keys at an address. Nothing is fetched before the first token. */
export class KeySet {
  readonly #url: URL;
  readonly #context: KeySetContext;
  #kept: { readonly find: FindKey; readonly atMs: number } | undefined;
  /** The last fetch: when it was begun, and why it failed if it did. */
  #last: { readonly atMs: number; error?: Error } | undefined;
  #fetching: Promise<void> | undefined;

  constructor(url: URL, context: KeySetContext) {
    this.#url = url;
    this.#context = context;
  }

  /**
   * Returns the key of a token, as jose asks for it.
   * @throws What jose throws when no key of the set fits, or why there is no set.
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (!this.#isYoungerThan(maxAgeMs) && this.#mayFetch()) await this.#renew();
    try {
      return await this.#find(header, token);
    } catch (error) {
      if (!isUnknownKey(error)) throw error;
      if (this.#mayFetch()) await this.#renew();
      // A key that came meanwhile cannot be known while its set cannot be had.
      if (this.#last?.error !== undefined) throw this.#last.error;
      return this.#find(header, token);
    }
  };

  async #find(header: JWSHeaderParameters, token: FlattenedJWSInput): ReturnType<FindKey> {
    if (this.#kept === undefined || !this.#isYoungerThan(maxStaleMs)) {
      throw this.#last?.error ?? new Error(`${this.#url.host} was not asked`);
    }
    return this.#kept.find(header, token);
  }

  #isYoungerThan(ageMs: number): boolean {
    return this.#kept !== undefined && this.#context.now() - this.#kept.atMs < ageMs;
  }

  /** Without keys that may be used there is nothing to lose by asking. */
  #mayFetch(): boolean {
    const { now, cooldownMs } = this.#context;
    if (this.#fetching !== undefined || this.#last === undefined || !this.#isYoungerThan(maxStaleMs)) return true;
    return now() - this.#last.atMs >= cooldownMs;
  }

  /** All who ask at once wait for one fetch. */
  #renew(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    const atMs = this.#context.now();
    try {
      const { createLocalJWKSet } = await import('jose');
      this.#kept = { find: createLocalJWKSet(await fetchSet(this.#url)), atMs };
      this.#last = { atMs };
    } catch (thrown) {
      const error = new Error(`${this.#url.host}: ${reasonOf(thrown)}`, { cause: thrown });
      this.#last = { atMs, error };
      if (this.#kept === undefined) return;
      const ageMs = Math.round(atMs - this.#kept.atMs);
      this.#context.logger.warn(
        { detail: error.message, ageMs, usableMs: Math.max(0, maxStaleMs - ageMs) },
        'the key set could not be fetched anew; the keys that are kept are used on',
      );
    }
  }
}

/** Returns what is at the address, which is checked by whoever makes keys of it. */
async function fetchSet(url: URL): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(fetchTimeoutMs),
    // Who answers for the issuer is its administrator's to say, not the answer's.
    redirect: 'manual',
    headers: { Accept: 'application/json, application/jwk-set+json' },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the answer has the status ${response.status}`);
  }
  return JSON.parse(await boundedText(response)) as JSONWebKeySet;
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by a throw cancels the body.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxSetBytes) throw new Error(`the answer has more than ${maxSetBytes} octets`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function isUnknownKey(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_JWKS_NO_MATCHING_KEY';
}

/** What fetch() throws says why in its cause. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown.name === 'TimeoutError') return `no answer within ${durationText(fetchTimeoutMs)}`;
  if (thrown instanceof SyntaxError) return 'the answer is no JSON';
  const { cause } = thrown;
  if (!(cause instanceof Error)) return thrown.message;
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}
