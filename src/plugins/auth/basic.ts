/**
 * Asks visitors of endpoints for a user name and a password (RFC 7617).
 *
 * The field Authorization is then the edge's and does not reach the origin. A password that was right is remembered for a
 * while as a keyed hash, since checking it anew for every picture of a page would take longer than the pictures do.
 */
import { createHmac, randomBytes } from 'node:crypto';
import * as z from 'zod';
import {
  type AuthProvider,
  defineExtension,
  extensionApiVersion,
  type VisitorDecision,
} from '../../extension/index.ts';
import { endpointAllowed, isEndpointPattern } from '../../state/endpoint-pattern.ts';
import { isPasswordHash, type PasswordHash, parsePasswordHash, verifyPassword } from '../../state/password-hash.ts';
import { SharedWork } from './shared-work.ts';
import { Turns } from './turns.ts';

/** How long a right password is remembered, in milliseconds. */
const rememberMs = 300_000;
/** Right passwords remembered at once. */
const maxRemembered = 1000;
/** Passwords checked at once: each takes a thread and 32 MiB. */
const maxChecks = 2;
/** Passwords of one client address that wait to be checked; further ones count as wrong. */
const maxWaiting = 32;

const optionsSchema = z.strictObject({
  users: z
    .record(
      z.string().regex(/^[^:\p{Cc}]{1,100}$/u, 'a user name has 1 to 100 characters and no colon'),
      z.string().refine(isPasswordHash, 'is not a hash such as `giraffe password hash` prints'),
    )
    .refine((users) => Object.keys(users).length > 0, 'there is no user')
    .meta({ secret: true })
    .describe('Hashes of passwords by user name, as `giraffe password hash` prints them.'),
  endpoints: z
    .array(z.string().refine(isEndpointPattern, 'is not a host, *.host or *'))
    .min(1)
    .default(['*'])
    .describe('Endpoints that are protected: app.example.com, *.example.com, or * for all. Others stay open.'),
  realm: z
    .string()
    .regex(/^[ !#-[\]-~]{1,100}$/, 'has 1 to 100 ASCII characters, and no " or \\')
    .default('giraffe')
    .describe('What browsers show when they ask for the password.'),
});

/** Options of the provider, defaults filled in. */
export type BasicOptions = z.output<typeof optionsSchema>;

/** Returns the provider. @param now Milliseconds since 1970. */
export function createBasicProvider({ users, endpoints, realm }: BasicOptions, now: () => number): AuthProvider {
  const hashes = new Map(Object.entries(users).map(([name, hash]) => [name, parsePasswordHash(hash)]));
  const passwords = new PasswordCheck(hashes, now);
  const denied: VisitorDecision = { kind: 'deny', challenge: `Basic realm="${realm}", charset="UTF-8"` };
  return {
    authorizeVisitor: async ({ host, clientAddress }, authorization, signal) => {
      if (!endpointAllowed(endpoints, host)) return { kind: 'unknown' };
      const isRight = authorization !== undefined && (await passwords.isRight(authorization, clientAddress, signal));
      return isRight ? { kind: 'allow', consumesAuthorization: true } : denied;
    },
  };
}

/** Checks values of Authorization. */
class PasswordCheck {
  readonly #hashes: ReadonlyMap<string, PasswordHash>;
  readonly #now: () => number;
  readonly #key = randomBytes(32);
  /** When what was right is forgotten, by keyed hash, oldest first. */
  readonly #right = new Map<string, number>();
  /** What is being checked now: all connections of a page ask at once. */
  readonly #checks = new SharedWork<boolean>();
  readonly #turns = new Turns(maxChecks, maxWaiting);

  constructor(hashes: ReadonlyMap<string, PasswordHash>, now: () => number) {
    this.#hashes = hashes;
    this.#now = now;
  }

  async isRight(authorization: string, asker: string, signal: AbortSignal): Promise<boolean> {
    const credentials = parseBasic(authorization);
    if (credentials === undefined) return false;
    const key = createHmac('sha256', this.#key).update(authorization, 'latin1').digest('base64');
    if ((this.#right.get(key) ?? 0) > this.#now()) return true;
    const check = async (abandoned: AbortSignal): Promise<boolean> => {
      const isRight = await this.#check(credentials, asker, abandoned);
      if (isRight) this.#remember(key);
      return isRight;
    };
    return this.#checks.join(key, check, signal);
  }

  async #check({ name, password }: Credentials, asker: string, signal: AbortSignal): Promise<boolean> {
    // Who is unknown is checked against somebody's hash all the same, so that time does not tell names.
    const known = this.#hashes.get(name);
    const hash = known ?? [...this.#hashes.values()][0];
    if (hash === undefined) return false;
    const isRight = await this.#turns.take(asker, () => verifyPassword(password, hash), signal);
    return isRight === true && known !== undefined;
  }

  #remember(key: string): void {
    this.#right.delete(key);
    this.#right.set(key, this.#now() + rememberMs);
    const [oldest] = this.#right.keys();
    if (oldest !== undefined && this.#right.size > maxRemembered) this.#right.delete(oldest);
  }
}

interface Credentials {
  readonly name: string;
  readonly password: string;
}

function parseBasic(authorization: string): Credentials | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(authorization) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The provider as an extension. */
export const basic = defineExtension({
  apiVersion: extensionApiVersion,
  kind: 'auth-provider',
  name: 'basic',
  summary: 'Visitors of endpoints with a user name and password (HTTP Basic).',
  options: optionsSchema,
  create: async (options, { now }) => createBasicProvider(options, now),
});
