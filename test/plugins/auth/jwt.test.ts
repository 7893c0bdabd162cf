import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { exportSPKI, importJWK, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthDecision } from '../../../src/extension/index.ts';
import { createJwtProvider, jwt } from '../../../src/plugins/auth/jwt.ts';
import { createTemporaryFolder } from '../../state/temporary-folder.ts';
import { audience, issuerName, startTokenIssuer, type TokenIssuer } from '../../support/token-issuer.ts';

const signal = new AbortController().signal;
let issuer: TokenIssuer;
beforeAll(async () => {
  issuer = await startTokenIssuer();
});
afterAll(async () => issuer[Symbol.asyncDispose]());

type Ask = (token: string) => Promise<AuthDecision | undefined>;

async function provider(
  options: object = {},
  { cooldownMs = 30_000, now = Date.now, warnings = [] as object[] } = {},
): Promise<Ask> {
  const source = 'keyFile' in options || 'secretFile' in options ? {} : { jwksUrl: issuer.url };
  const parsed = jwt.options.parse({ ...source, issuer: issuerName, audience, endpoints: ['ci.test'], ...options });
  const logger = { warn: (fields: object) => void warnings.push(fields) };
  const { authenticateAgent } = await createJwtProvider(parsed, { now, logger, configDir: '/', cooldownMs });
  return async (token) => authenticateAgent?.({ token, certificate: undefined, address: '' }, signal);
}

/** Takes a token apart, changes its payload, and leaves the signature as it was. */
function forged(token: string, claims: object): string {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const changed = { ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object), ...claims };
  return `${head}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${signature}`;
}

describe('jwt', () => {
  it('lets a token of the issuer in until it expires, and the tolerance is over', async () => {
    const ask = await provider();
    const exp = Math.floor(Date.now() / 1000) + 100;
    expect(await ask(await issuer.sign({ exp }))).toEqual({
      kind: 'allow',
      principal: 'https://issuer.test repo:acme/web',
      endpoints: ['ci.test'],
      expiresAt: new Date((exp + 30) * 1000),
    });
  });

  it.each<[string, object]>([
    ['of another audience', { aud: 'other' }],
    ['that has expired', { exp: Math.floor(Date.now() / 1000) - 31 }],
    ['that is not valid yet', { nbf: Math.floor(Date.now() / 1000) + 100 }],
    ['without an expiry', { exp: undefined }],
    ['without a subject', { sub: undefined }],
  ])('refuses a token %s', async (_case, claims) => {
    expect(await (await provider())(await issuer.sign(claims))).toMatchObject({ kind: 'deny' });
  });

  it('goes by the clock it is given, with the tolerance', async () => {
    let nowMs = 1_000_000_000_000;
    const ask = await provider({ clockTolerance: '10s' }, { now: () => nowMs });
    const token = await issuer.sign({ exp: 1_000_000_100 });
    nowMs = 1_000_000_109_000;
    expect(await ask(token)).toMatchObject({ kind: 'allow' });
    nowMs = 1_000_000_110_000;
    expect(await ask(token)).toMatchObject({ kind: 'deny', reason: 'ERR_JWT_EXPIRED (exp)' });
  });

  it('S2 refuses a token that was changed, or signed by somebody else, or not signed', async () => {
    const ask = await provider();
    const token = await issuer.sign();
    expect(await ask(forged(token, { sub: 'repo:acme/other' }))).toMatchObject({ kind: 'deny' });
    await using other = await startTokenIssuer();
    expect(await ask(await other.sign())).toMatchObject({ kind: 'deny' });
    const claims = { iss: issuerName, aud: audience, sub: 'x', exp: 9_999_999_999 };
    expect(await ask(new UnsecuredJWT(claims).encode())).toMatchObject({ kind: 'deny' });
    expect(await ask(`${new UnsecuredJWT(claims).encode()}x`)).toMatchObject({ kind: 'deny' });
  });

  it('S2 does not take the public key for a secret', async () => {
    const jwk = await issuer.publicJwk();
    const head = Buffer.from(JSON.stringify({ alg: 'HS256', kid: jwk.kid })).toString('base64url');
    const claims = { iss: issuerName, aud: audience, sub: 'x', exp: 9_999_999_999 };
    const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const spki = await exportSPKI((await importJWK(jwk, 'ES256', { extractable: true })) as never);
    const mac = createHmac('sha256', spki).update(`${head}.${body}`).digest('base64url');
    expect(await (await provider())(`${head}.${body}.${mac}`)).toMatchObject({ kind: 'deny' });
    const file = join(await createTemporaryFolder(), 'key.pem');
    await writeFile(file, spki);
    expect(await (await provider({ keyFile: file }))(`${head}.${body}.${mac}`)).toMatchObject({ kind: 'deny' });
  });

  it.each(['', 'grf_abc', 'a.b.c', 'a.bnVsbA.c', '..', 'a.b.c.d.e'])('leaves %j to other providers', async (token) => {
    expect(await (await provider())(token)).toEqual({ kind: 'unknown' });
  });

  it('leaves tokens of other issuers to other providers, and asks nobody about them', async () => {
    const before = issuer.fetches;
    expect(await (await provider())(await issuer.sign({ iss: 'https://else.test' }))).toEqual({ kind: 'unknown' });
    expect(issuer.fetches).toBe(before);
  });
});

describe('jwt, claims', () => {
  it('makes endpoints of claims, also of nested ones and lists', async () => {
    const ask = await provider({ endpoints: ['{owner}.ci.test', '{user.team}.test'], endpointsClaim: 'user.hosts' });
    const token = await issuer.sign({ owner: 'acme', user: { team: 'red', hosts: ['a.test', 'b c', 7, '*.b.test'] } });
    expect(await ask(token)).toMatchObject({ endpoints: ['acme.ci.test', 'red.test', 'a.test', '*.b.test'] });
    const text = await issuer.sign({ user: { hosts: 'a.test, b.test c.test' } });
    expect(await ask(text)).toMatchObject({ endpoints: ['a.test', 'b.test', 'c.test'] });
  });

  it('finds a claim whose name has dots in it', async () => {
    const ask = await provider({ endpoints: [], endpointsClaim: 'https://giraffe.test/hosts' });
    expect(await ask(await issuer.sign({ 'https://giraffe.test/hosts': ['a.test'] }))).toMatchObject({
      endpoints: ['a.test'],
    });
  });

  it('refuses a token whose claims allow nothing', async () => {
    const ask = await provider({ endpoints: ['{repository}.ci.test'] });
    expect(await ask(await issuer.sign({ repository: 'acme/web' }))).toMatchObject({ kind: 'deny' });
    expect(await ask(await issuer.sign())).toMatchObject({ kind: 'deny' });
  });

  it('S2 refuses a token of the same issuer for somebody else, as every CI job of the world could have', async () => {
    const ask = await provider({ require: { repository: ['acme/web', 'acme/api'], ref_protected: true } });
    expect(await ask(await issuer.sign({ repository: 'acme/api', ref_protected: true }))).toMatchObject({
      kind: 'allow',
    });
    expect(await ask(await issuer.sign({ repository: 'evil/web', ref_protected: true }))).toMatchObject({
      kind: 'deny',
    });
    expect(await ask(await issuer.sign({ repository: 'acme/web' }))).toMatchObject({ kind: 'deny' });
  });

  it('can let a session outlive its token', async () => {
    const nowMs = Math.floor(Date.now() / 1000) * 1000;
    const ask = await provider({ sessionLifetime: '6h' }, { now: () => nowMs });
    expect(await ask(await issuer.sign())).toMatchObject({ expiresAt: new Date(nowMs + 6 * 3_600_000) });
  });
});

describe('jwt, keys', () => {
  it('fetches the key set once, and again when the key has been replaced', async () => {
    await using rotating = await startTokenIssuer();
    const ask = await provider({ jwksUrl: rotating.url }, { cooldownMs: 0 });
    for (let n = 0; n < 3; n += 1) expect(await ask(await rotating.sign())).toMatchObject({ kind: 'allow' });
    expect(rotating.fetches).toBe(1);
    const old = await rotating.sign();
    await rotating.rotate();
    expect(await ask(await rotating.sign())).toMatchObject({ kind: 'allow' });
    expect(rotating.fetches).toBe(2);
    expect(await ask(old)).toMatchObject({ kind: 'deny' });
  });

  it('S5 does not fetch anew for every made-up key', async () => {
    await using flooded = await startTokenIssuer();
    const ask = await provider({ jwksUrl: flooded.url });
    expect(await ask(await flooded.sign())).toMatchObject({ kind: 'allow' });
    await flooded.rotate();
    for (let n = 0; n < 20; n += 1) expect(await ask(await flooded.sign())).toMatchObject({ kind: 'deny' });
    expect(flooded.fetches).toBe(1);
  });

  it('fails, and does not refuse for good, when the key set cannot be had', async () => {
    const ask = await provider({ jwksUrl: 'http://127.0.0.1:1/jwks' });
    const token = await issuer.sign();
    const error: unknown = await ask(token).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toContain('the key set cannot be had');
    expect(String(error)).not.toContain(token);
  });

  it('uses the keys on for a day while their address fails, and says so', async () => {
    await using flaky = await startTokenIssuer();
    const warnings: object[] = [];
    let nowMs = 1_000_000_000_000;
    const ask = await provider({ jwksUrl: flaky.url }, { now: () => nowMs, warnings });
    const asked = async () => ask(await flaky.sign({}, nowMs));
    await asked();
    flaky.answerWith((response) => response.writeHead(503).end());
    nowMs += 600_000;
    for (let n = 0; n < 3; n += 1) expect(await asked()).toMatchObject({ kind: 'allow' });
    expect(warnings).toEqual([
      expect.objectContaining({ detail: expect.stringContaining('503'), ageMs: 600_000, usableMs: 85_800_000 }),
    ]);
    expect(flaky.fetches).toBe(2);
    nowMs += 30_000;
    expect(await asked()).toMatchObject({ kind: 'allow' });
    expect(flaky.fetches).toBe(3);
    nowMs = 1_000_000_000_000 + 24 * 3_600_000;
    await expect(asked()).rejects.toThrow('the key set cannot be had');
    flaky.answerWith(undefined);
    expect(await asked()).toMatchObject({ kind: 'allow' });
  });

  it('does not refuse a new key for good while the address fails', async () => {
    await using flaky = await startTokenIssuer();
    const ask = await provider({ jwksUrl: flaky.url }, { cooldownMs: 0 });
    await ask(await flaky.sign());
    await flaky.rotate();
    flaky.answerWith((response) => response.end('no keys'));
    await expect(ask(await flaky.sign())).rejects.toThrow('the key set cannot be had');
    flaky.answerWith(undefined);
    expect(await ask(await flaky.sign())).toMatchObject({ kind: 'allow' });
  });

  it('S5 reads no more than a megabyte of an answer', async () => {
    await using endless = await startTokenIssuer();
    const gone = new Promise((resolve) =>
      endless.answerWith((response) => {
        const more = () => {
          while (response.write('x'.repeat(65_536)));
        };
        response.on('drain', more).on('close', resolve);
        more();
      }),
    );
    const ask = await provider({ jwksUrl: endless.url });
    await expect(ask(await endless.sign())).rejects.toThrow('more than 1048576 octets');
    await gone;
  });

  it('does not follow the key set to another address', async () => {
    const server = createServer((_request, response) => response.writeHead(302, { Location: issuer.url }).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const ask = await provider({ jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
    const before = issuer.fetches;
    await expect(ask(await issuer.sign())).rejects.toThrow('the key set cannot be had');
    expect(issuer.fetches).toBe(before);
    server.close();
  });

  it('takes a key, a key set or a PEM from a file', async () => {
    const folder = await createTemporaryFolder();
    const jwk = await issuer.publicJwk();
    const spki = await exportSPKI((await importJWK(jwk, 'ES256', { extractable: true })) as never);
    const contents = [JSON.stringify(jwk), JSON.stringify({ keys: [jwk] }), spki];
    for (const [index, content] of contents.entries()) {
      const keyFile = join(folder, `key-${index}`);
      await writeFile(keyFile, content);
      expect(await (await provider({ keyFile }))(await issuer.sign())).toMatchObject({ kind: 'allow' });
    }
  });

  it('takes a secret from a file, without its line end', async () => {
    const secretFile = join(await createTemporaryFolder(), 'secret');
    const secret = 'a secret of at least thirty-two bytes';
    await writeFile(secretFile, `${secret}\n`);
    const sign = (alg: string) =>
      new SignJWT({ iss: issuerName, aud: audience, sub: 'x', exp: 9_999_999_999 })
        .setProtectedHeader({ alg })
        .sign(Buffer.from(secret));
    const ask = await provider({ secretFile });
    expect(await ask(await sign('HS256'))).toMatchObject({ kind: 'allow' });
    expect(await ask(await sign('HS512'))).toMatchObject({ kind: 'deny' });
  });

  it.each([
    ['keyFile', 'no key'],
    ['keyFile', '{ no json'],
    ['secretFile', 'short-secret'],
  ])('S7 refuses a %s with %j, without quoting it', async (option, content) => {
    const path = join(await createTemporaryFolder(), 'file');
    await writeFile(path, content);
    const error: unknown = await provider({ [option]: path }).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(path);
    expect(String(error)).not.toContain(content);
  });
});

describe('jwt, options', () => {
  const usual = { issuer: issuerName, audience, endpoints: ['*'] };

  it.each([
    ['no source of a key', {}],
    ['two sources of a key', { jwksUrl: 'https://a.test/', keyFile: 'x' }],
    ['a key set over plain HTTP', { jwksUrl: 'http://id.example.com/jwks' }],
    ['a file address', { jwksUrl: 'file:///etc/passwd' }],
    ['the algorithm none', { keyFile: 'x', algorithms: ['none'] }],
    ['a symmetric algorithm with a public key', { keyFile: 'x', algorithms: ['HS256'] }],
    ['an asymmetric algorithm with a secret', { secretFile: 'x', algorithms: ['ES256'] }],
    ['no endpoints', { keyFile: 'x', endpoints: [] }],
    ['no audience', { keyFile: 'x', audience: undefined }],
    ['a tolerance that is no duration', { keyFile: 'x', clockTolerance: '10 parsecs' }],
  ])('refuses %s', (_case, options) => {
    expect(jwt.options.safeParse({ ...usual, ...options }).success).toBe(false);
  });

  it('takes the shortest sensible configuration', () => {
    expect(jwt.options.parse({ ...usual, jwksUrl: 'https://id.example.com/jwks' })).toMatchObject({
      clockTolerance: 30_000,
    });
  });
});
