/**
 * The tokens of agents and the admin token of the API: made, listed, revoked, and checked.
 *
 * Decides who a secret belongs to and what it may serve; who asks, and what a
 * refusal looks like, is the edge's business. Only hashes are kept in memory.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { adminTokenFile, agentTokenFile, tokensFile } from './local-files.ts';
import type { JsonRead, StateFolder } from './state-folder.ts';
import {
  createSecret,
  createTokenRecord,
  findByHash,
  hashSecret,
  isSecret,
  maxTokens,
  type NewToken,
  type TokenRecord,
  type TokensFile,
  tokensFormat,
} from './token-format.ts';

/** Longer texts are not even hashed: no secret is this long. */
const maxSecretLength = 256;

/** Who a valid secret belongs to. */
export interface Principal {
  readonly id: string;
  readonly name: string;
  /** Patterns for `endpointAllowed`. */
  readonly endpoints: readonly string[];
  /** Undefined: never. */
  readonly expiresAt: Date | undefined;
}

/** One token as an operator sees it. */
export interface TokenSummary extends Principal {
  readonly createdAt: Date;
}

interface Entry extends TokenSummary {
  readonly hash: Buffer;
  readonly record: TokenRecord;
}

/**
 * Opens the tokens of a state folder. A damaged tokens.json is moved aside with a warning, and no token is valid then.
 *
 * @param now Milliseconds since 1970; tokens expire by it. An edge has a clock of its own for that.
 * @throws {GiraffeError} GIR_ERR_STATE when the file cannot be read, or a newer giraffe wrote it.
 */
export async function openTokenStore(folder: StateFolder, now: () => number = Date.now): Promise<TokenStore> {
  const store = new TokenStore(folder, now);
  await folder.readJson(tokensFile, tokensFormat);
  await store.reload();
  return store;
}

/** The tokens of one state folder. Several processes may use the same folder. */
export class TokenStore {
  readonly #folder: StateFolder;
  readonly #now: () => number;
  #entries: readonly Entry[] = [];
  #adminHash: Buffer | undefined;
  #seenVersion = '';
  #lastWarning = '';
  #reloading: Promise<boolean> | undefined;
  /** Counts what this process changed itself. */
  #changes = 0;

  /** Called by `openTokenStore`, which loads the tokens. */
  constructor(folder: StateFolder, now: () => number) {
    this.#folder = folder;
    this.#now = now;
  }

  /** Returns whom a secret belongs to; undefined when it is unknown, revoked or expired. Takes constant time over all tokens. */
  authenticate(secret: string): Principal | undefined {
    if (maxSecretLength < secret.length) return undefined;
    return this.#valid(findByHash(this.#entries, hashSecret(secret)));
  }

  /** Returns the principal of a token id while the token is valid: the way to notice that a live session has to end. */
  principal(id: string): Principal | undefined {
    return this.#valid(this.#entries.find((entry) => entry.id === id));
  }

  /** Tells whether a secret is the admin token of the API, in constant time. */
  authenticateAdmin(secret: string): boolean {
    if (this.#adminHash === undefined || maxSecretLength < secret.length) return false;
    return findByHash([{ hash: this.#adminHash }], hashSecret(secret)) !== undefined;
  }

  /** Returns all tokens, expired ones too, in the order they were made. */
  listTokens(): TokenSummary[] {
    return this.#entries.map(({ id, name, endpoints, createdAt, expiresAt }) => {
      return { id, name, endpoints, createdAt, expiresAt };
    });
  }

  /**
   * Makes a token and returns its secret, for the only time: just the hash is stored.
   *
   * @throws {GiraffeError} GIR_ERR_USAGE for a name, pattern or date out of bounds; GIR_ERR_STATE, and then no token was made.
   */
  async createToken(token: NewToken): Promise<{ readonly id: string; readonly secret: string }> {
    const secret = createSecret('grf');
    const record = createTokenRecord(token, secret, this.#now());
    await this.#update((tokens) => Promise.resolve([...tokens, record]));
    return { id: record.id, secret };
  }

  /** Removes a token; false when no token has this id. Throws GIR_ERR_STATE. */
  async revokeToken(id: string): Promise<boolean> {
    let found = false;
    await this.#update(async (tokens) => {
      const rest = tokens.filter((token) => token.id !== id);
      found = rest.length < tokens.length;
      return found ? rest : undefined;
    });
    return found;
  }

  /**
   * Makes a token for every endpoint if there is no token at all, and leaves its secret in `agent-token` (0600).
   *
   * @returns The secret, or undefined when there is a token already.
   * @throws {GiraffeError} GIR_ERR_STATE.
   */
  async ensureFirstToken(): Promise<{ readonly secret: string } | undefined> {
    let made: { secret: string } | undefined;
    await this.#update(async (tokens) => {
      if (0 < tokens.length) return undefined;
      const secret = createSecret('grf');
      // First the secret: killed in between, the next start makes another token instead of one that nobody knows.
      await this.#folder.writeFile(agentTokenFile, `${secret}\n`);
      made = { secret };
      return [createTokenRecord({ name: 'first', endpoints: ['*'] }, secret, this.#now())];
    });
    return made;
  }

  /**
   * Makes the admin token of the API if `admin-token` (0600) does not hold one.
   *
   * @returns The secret, or undefined when there was one.
   * @throws {GiraffeError} GIR_ERR_STATE.
   */
  async ensureAdminToken(): Promise<{ readonly secret: string } | undefined> {
    return this.#folder.exclusive(adminTokenFile, async () => {
      if ((await this.#readAdmin()) !== undefined) return undefined;
      const secret = createSecret('gra');
      await this.#folder.writeFile(adminTokenFile, `${secret}\n`);
      this.#adminHash = hashSecret(secret);
      this.#noteChange();
      return { secret };
    });
  }

  /**
   * Reads the files again if they changed, and tells whether they did.
   *
   * A damaged tokens.json brings a warning and the tokens in memory stay valid; a missing one means no tokens.
   *
   * @throws {GiraffeError} GIR_ERR_STATE when a file cannot be read, and then nothing has changed.
   */
  async reload(): Promise<boolean> {
    this.#reloading ??= this.#reload().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  /** As `reload`, but a file that cannot be read is only a warning too. Never throws. */
  async refresh(): Promise<boolean> {
    try {
      return await this.reload();
    } catch (error) {
      this.#warn(GiraffeError.from(error, 'GIR_ERR_STATE').message);
      return false;
    }
  }

  async #reload(): Promise<boolean> {
    const changes = this.#changes;
    // Before the content: a change in between is found next time.
    const versions = [await this.#folder.fileVersion(tokensFile), await this.#folder.fileVersion(adminTokenFile)];
    const version = versions.join(' ');
    if (version === this.#seenVersion) return false;
    const read = await this.#folder.inspectJson(tokensFile, tokensFormat);
    const adminHash = await this.#readAdmin();
    // A change by this process overtook the reading: what was read may be older than what is in memory.
    if (changes !== this.#changes) return true;
    this.#entries = this.#recordsOf(read).map(entryOf);
    this.#adminHash = adminHash;
    this.#seenVersion = version;
    if (read.status === 'damaged') this.#warn(`${tokensFile} is damaged (${read.reason}): its last state is used`);
    else this.#lastWarning = '';
    return true;
  }

  #warn(message: string): void {
    if (message !== this.#lastWarning) this.#folder.warn(tokensFile, message);
    this.#lastWarning = message;
  }

  async #readAdmin(): Promise<Buffer | undefined> {
    const secret = (await this.#folder.readFile(adminTokenFile))?.toString('utf8').trim();
    return secret !== undefined && isSecret('gra', secret) ? hashSecret(secret) : undefined;
  }

  #noteChange(): void {
    this.#changes += 1;
    this.#seenVersion = '';
  }

  #valid(entry: Entry | undefined): Principal | undefined {
    if (entry === undefined) return undefined;
    const { id, name, endpoints, expiresAt } = entry;
    return expiresAt !== undefined && expiresAt.getTime() <= this.#now()
      ? undefined
      : { id, name, endpoints, expiresAt };
  }

  #recordsOf(read: JsonRead<TokensFile>): readonly TokenRecord[] {
    if (read.status === 'sound') return read.value.tokens;
    return read.status === 'missing' ? [] : this.#entries.map((entry) => entry.record);
  }

  async #update(change: (tokens: readonly TokenRecord[]) => Promise<TokenRecord[] | undefined>): Promise<void> {
    const written = await this.#folder.updateJson(tokensFile, tokensFormat, async (read) => {
      const tokens = await change(this.#recordsOf(read));
      if (tokens !== undefined && maxTokens < tokens.length) {
        throw new GiraffeError('GIR_ERR_USAGE', `there are ${maxTokens} tokens already; revoke some first`);
      }
      return tokens === undefined ? undefined : { v: 1 as const, tokens };
    });
    if (written === undefined) return;
    this.#entries = written.tokens.map(entryOf);
    this.#noteChange();
  }
}

function entryOf(record: TokenRecord): Entry {
  const { id, name, endpoints } = record;
  return {
    id,
    name,
    endpoints,
    createdAt: new Date(record.createdAt),
    expiresAt: record.expiresAt === undefined ? undefined : new Date(record.expiresAt),
    hash: Buffer.from(record.sha256, 'hex'),
    record,
  };
}
