/**
 * How a person's password is kept: as `$scrypt$ln=15,r=8,p=1$salt$hash`, the base64 without padding.
 *
 * scrypt is the one slow hash that Node has itself, so bcrypt hashes of other programs are not understood.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { GiraffeError } from '../errors/giraffe-error.ts';

/** Cost of new hashes: 2^15 rounds of 1 KiB take 32 MiB and about 60 ms. */
const logRounds = 15;
const blockSize = 8;
const parallelism = 1;
const saltBytes = 16;
const hashBytes = 32;
/** Costs that are accepted: what is weaker protects nobody, what is stronger lets visitors exhaust the memory. */
const minLogRounds = 14;
const maxLogRounds = 18;
const maxMemoryBytes = 512 * 1024 * 1024;
/** Longest password, in octets. */
const maxPasswordBytes = 1024;

const form = /^\$scrypt\$ln=(\d{1,2}),r=8,p=1\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43})$/;

/** A hash, taken apart. */
export interface PasswordHash {
  readonly options: ScryptOptions;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Tells whether a text is a hash that {@link parsePasswordHash} takes. */
export function isPasswordHash(text: string): boolean {
  const rounds = Number(form.exec(text)?.[1] ?? 0);
  return minLogRounds <= rounds && rounds <= maxLogRounds;
}

/**
 * Takes a hash apart.
 * @throws {GiraffeError} GIR_ERR_CONFIG when it is none.
 */
export function parsePasswordHash(text: string): PasswordHash {
  const [, rounds, salt = '', hash = ''] = form.exec(text) ?? [];
  if (!isPasswordHash(text)) throw new GiraffeError('GIR_ERR_CONFIG', 'a password is not hashed as $scrypt$ln=…');
  return {
    options: costs(Number(rounds)),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

/**
 * Returns the hash of a password, with a salt of its own.
 * @throws {GiraffeError} GIR_ERR_USAGE for an empty one, or one of more than 1,024 octets.
 */
export async function hashPassword(password: string): Promise<string> {
  const octets = octetsOf(password);
  if (octets.length === 0) throw new GiraffeError('GIR_ERR_USAGE', 'the password is empty');
  if (octets.length > maxPasswordBytes) throw new GiraffeError('GIR_ERR_USAGE', 'the password is too long');
  const salt = randomBytes(saltBytes);
  const hash = await derive(octets, salt, costs(logRounds));
  return `$scrypt$ln=${logRounds},r=${blockSize},p=${parallelism}$${text(salt)}$${text(hash)}`;
}

/** Tells whether a password is the one that was hashed. Takes tens of milliseconds, on another thread. */
export async function verifyPassword(password: string, { options, salt, hash }: PasswordHash): Promise<boolean> {
  const octets = octetsOf(password);
  if (octets.length > maxPasswordBytes) return false;
  return timingSafeEqual(await derive(octets, salt, options), hash);
}

/** Keyboards write the same letter in different ways (RFC 7617 section 2.1 asks for one of them). */
function octetsOf(password: string): Buffer {
  return Buffer.from(password.normalize('NFC'), 'utf8');
}

function costs(rounds: number): ScryptOptions {
  return { N: 2 ** rounds, r: blockSize, p: parallelism, maxmem: maxMemoryBytes };
}

function text(octets: Buffer): string {
  return octets.toString('base64').replaceAll('=', '');
}

function derive(octets: Buffer, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(octets, salt, hashBytes, options, (error, hash) => (error === null ? resolve(hash) : reject(error)));
  });
}
