/**
 * What a token is: its secret, its record in tokens.json, and how a secret is compared with records.
 *
 * Pure but for randomness; the token store does the reading and writing.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { isEndpointPattern } from './endpoint-pattern.ts';
import type { JsonFormat } from './state-folder.ts';

/** Bounds a hand-written tokens.json; far above any real use. */
export const maxTokens = 10_000;

/** What a secret begins with: `grf` for an agent's token, `gra` for the admin token of the API. */
export type SecretPrefix = 'grf' | 'gra';

// 32 bytes are 43 characters of base64url.
const secretPattern = { grf: /^grf_[A-Za-z0-9_-]{43}$/, gra: /^gra_[A-Za-z0-9_-]{43}$/ } as const;

const tokenRecord = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[^\p{Cc}]*$/u, 'must not hold control characters'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  endpoints: z.array(z.string().refine(isEndpointPattern, 'is not a host, *.host or *')).min(1).max(1_000),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
});

const tokensFile = z.strictObject({ v: z.literal(1), tokens: z.array(tokenRecord).max(maxTokens) });

/** One token as it stands in tokens.json. Instants are ISO 8601 in UTC; without `expiresAt` it never expires. */
export type TokenRecord = z.infer<typeof tokenRecord>;

/** The content of tokens.json. */
export type TokensFile = z.infer<typeof tokensFile>;

/** How tokens.json is checked. */
export const tokensFormat: JsonFormat<TokensFile> = { version: 1, parse: (json) => tokensFile.parse(json) };

/** What to make a token of. */
export interface NewToken {
  /** 1 to 100 characters for people; need not be unique. */
  readonly name: string;
  /** 1 to 1,000 patterns: `*`, `app.example.com`, `*.example.com`. */
  readonly endpoints: readonly string[];
  /** Undefined: never. */
  readonly expiresAt?: Date;
}

/**
 * Returns the record of a new token.
 *
 * @param now Milliseconds since 1970.
 * @throws {GiraffeError} GIR_ERR_USAGE for a name, pattern or date out of bounds.
 */
export function createTokenRecord(token: NewToken, secret: string, now: number): TokenRecord {
  if (token.expiresAt !== undefined && Number.isNaN(token.expiresAt.getTime())) {
    throw new GiraffeError('GIR_ERR_USAGE', 'cannot make this token: expiresAt is not a date');
  }
  const record: TokenRecord = {
    id: `tok_${randomBytes(8).toString('hex')}`,
    name: token.name,
    sha256: hashSecret(secret).toString('hex'),
    endpoints: [...token.endpoints],
    createdAt: new Date(now).toISOString(),
    ...(token.expiresAt === undefined ? {} : { expiresAt: token.expiresAt.toISOString() }),
  };
  const issue = tokenRecord.safeParse(record).error?.issues[0];
  if (issue === undefined) return record;
  const [field, index] = issue.path;
  const endpoint = field === 'endpoints' && typeof index === 'number' ? record.endpoints[index] : undefined;
  const what = endpoint === undefined ? `${issue.path.join('.')}:` : `endpoint ${JSON.stringify(endpoint)}`;
  throw new GiraffeError('GIR_ERR_USAGE', `cannot make this token: ${what} ${issue.message}`);
}

/** Returns a new secret of 256 random bits. */
export function createSecret(prefix: SecretPrefix): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`;
}

/** Tells whether a text has the form of a secret. */
export function isSecret(prefix: SecretPrefix, text: string): boolean {
  return secretPattern[prefix].test(text);
}

/** Returns the SHA-256 of a secret, 32 bytes. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest();
}

/** Returns the last candidate with this hash. Takes the same time whichever it is, and if there is none. */
export function findByHash<T extends { readonly hash: Buffer }>(candidates: readonly T[], hash: Buffer): T | undefined {
  let found: T | undefined;
  for (const candidate of candidates) {
    if (timingSafeEqual(candidate.hash, hash)) found = candidate;
  }
  return found;
}
