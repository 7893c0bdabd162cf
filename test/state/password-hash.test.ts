import { describe, expect, it } from 'vitest';
import { hashPassword, isPasswordHash, parsePasswordHash, verifyPassword } from '../../src/state/password-hash.ts';

describe('hashPassword()', () => {
  it('makes hashes that only the password fits, each with a salt of its own', async () => {
    const [first, second] = await Promise.all([hashPassword('pässword'), hashPassword('pässword')]);
    expect(first).not.toBe(second);
    expect(isPasswordHash(first)).toBe(true);
    expect(await verifyPassword('pässword', parsePasswordHash(first))).toBe(true);
    expect(await verifyPassword('pa\u0308ssword', parsePasswordHash(second))).toBe(true);
    expect(await verifyPassword('password', parsePasswordHash(first))).toBe(false);
    expect(await verifyPassword('', parsePasswordHash(first))).toBe(false);
  });

  it.each([
    ['empty', ''],
    ['too long', 'x'.repeat(1025)],
  ])('refuses one that is %s', async (_case, password) => {
    await expect(hashPassword(password)).rejects.toMatchObject({ code: 'GIR_ERR_USAGE' });
  });

  it('S5 does not even hash what no password can be', async () => {
    const hash = parsePasswordHash(await hashPassword('x'.repeat(1024)));
    expect(await verifyPassword('x'.repeat(1024), hash)).toBe(true);
    expect(await verifyPassword('x'.repeat(1025), hash)).toBe(false);
  });
});

describe('isPasswordHash()', () => {
  const salt = 'A'.repeat(22);
  const hash = 'B'.repeat(43);

  it.each([14, 18])('takes a cost of 2^%i', (rounds) => {
    expect(isPasswordHash(`$scrypt$ln=${rounds},r=8,p=1$${salt}$${hash}`)).toBe(true);
  });

  it.each([
    ['a cost too low', `$scrypt$ln=13,r=8,p=1$${salt}$${hash}`],
    ['a cost that exhausts the memory', `$scrypt$ln=19,r=8,p=1$${salt}$${hash}`],
    ['no salt', `$scrypt$ln=15,r=8,p=1$$${hash}`],
    ['a short hash', `$scrypt$ln=15,r=8,p=1$${salt}$BBBB`],
    ['a hash of another kind', '$2y$10$abcdefghijklmnopqrstuv'],
    ['a plain password', 'secret'],
  ])('refuses %s', (_case, text) => {
    expect(isPasswordHash(text)).toBe(false);
    expect(() => parsePasswordHash(text)).toThrow(expect.objectContaining({ code: 'GIR_ERR_CONFIG' }));
  });
});
