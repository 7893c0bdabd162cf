/** An issuer of JSON Web Tokens for tests: a JWKS server on loopback, whose keys can be replaced and which can stall. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** What a token is signed with unless a test says otherwise. */
export const issuerName = 'https://issuer.test';
export const audience = 'giraffe';

/** A running issuer. */
export interface TokenIssuer extends AsyncDisposable {
  readonly url: string;
  /** Fetches of the key set so far. */
  readonly fetches: number;
  /** Uses another key from now on, and forgets the former one. */
  rotate(): Promise<void>;
  /** From now on requests get no answer. */
  stall(): void;
  /** From now on requests get what `answer` says instead of the keys; undefined for the keys again. */
  answerWith(answer: ((response: ServerResponse) => void) | undefined): void;
  /** Signs a token that is valid for ten minutes; claims are laid over the usual ones. */
  sign(claims?: object, now?: number): Promise<string>;
  /** The public key. */
  publicJwk(): Promise<JWK>;
}

/** Starts an issuer. */
export async function startTokenIssuer(): Promise<TokenIssuer> {
  let keys = await newKeys(1);
  let serial = 1;
  let fetches = 0;
  let instead: ((response: ServerResponse) => void) | undefined;
  const stalled = new Set<ServerResponse>();
  const server = createServer((_request, response) => {
    fetches += 1;
    if (instead !== undefined) instead(response);
    else void publicJwk().then((jwk) => response.end(JSON.stringify({ keys: [jwk] })));
  });
  const publicJwk = async (): Promise<JWK> => ({ ...(await exportJWK(keys.publicKey)), kid: keys.kid, alg: 'ES256' });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    get fetches() {
      return fetches;
    },
    rotate: async () => {
      serial += 1;
      keys = await newKeys(serial);
    },
    stall: () => {
      instead = (response) => stalled.add(response);
    },
    answerWith: (answer) => {
      instead = answer;
    },
    sign: (claims = {}, now = Date.now()) =>
      new SignJWT({
        iss: issuerName,
        aud: audience,
        sub: 'repo:acme/web',
        exp: Math.floor(now / 1000) + 600,
        ...claims,
      })
        .setProtectedHeader({ alg: 'ES256', kid: keys.kid })
        .sign(keys.privateKey),
    publicJwk,
    [Symbol.asyncDispose]: async () => {
      for (const response of stalled) response.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Keys {
  readonly kid: string;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

async function newKeys(serial: number): Promise<Keys> {
  return { kid: `key-${serial}`, ...(await generateKeyPair('ES256', { extractable: true })) };
}
