/**
 * Agents that present a JSON Web Token (RFC 7519), such as the OIDC token of a CI runner.
 *
 * The key comes from a JWKS address, the only thing this provider ever talks to, or from a file. A token of another
 * issuer is left to other providers; one of ours that does not hold is refused.
 */
import { resolve } from 'node:path';
import type { JWTPayload, JWTVerifyOptions } from 'jose';
import * as z from 'zod';
import {
  type AgentCredential,
  type AuthDecision,
  type AuthProvider,
  defineExtension,
  extensionApiVersion,
  type Logger,
} from '../../extension/index.ts';
import { isEndpointPattern } from '../../state/endpoint-pattern.ts';
import { duration } from '../duration.ts';
import { endpointTemplate, grantedEndpoints } from './endpoint-grant.ts';
import { type KeySource, loadKey } from './jwt-key.ts';

const asymmetric = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const symmetric = ['HS256', 'HS384', 'HS512'];

/** The last instant that a Date can hold. */
const maxDateMs = 8.64e15;

const claimValue = z.union([z.string(), z.number(), z.boolean()]);
const oneOrMore = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const optionsSchema = z
  .strictObject({
    jwksUrl: z
      .url({ protocol: /^https?$/ })
      .refine(isSafeUrl, 'must be https, or http on this machine')
      .optional()
      .describe(
        'Address of the JSON Web Key Set that tokens are signed with; fetched anew every 10 minutes and when a key is ' +
          'not in it. While that fails, the keys are used on for up to 24 hours.',
      ),
    keyFile: z
      .string()
      .min(1)
      .optional()
      .describe('File with the public key instead, relative to the configuration file: PEM, a JWK or a JWKS.'),
    secretFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File with a secret of at least 32 bytes instead, relative to the configuration file, for HS256 and the like.',
      ),
    issuer: z.string().min(1).describe('Claim iss that tokens must have.'),
    audience: oneOrMore.describe('Claim aud that tokens must have, or several of which one is enough.'),
    algorithms: z
      .array(z.enum([...asymmetric, ...symmetric]))
      .min(1)
      .optional()
      .describe('Signature algorithms that are accepted. Default: all asymmetric ones, or HS256 with secretFile.'),
    clockTolerance: duration.prefault('30s').describe("How much the issuer's clock may differ, such as 30s."),
    require: z
      .record(z.string().min(1), z.union([claimValue, z.array(claimValue).min(1)]))
      .default({})
      .describe('Claims that tokens must have, by path such as repository or user.team, each with one or more values.'),
    endpoints: z
      .array(endpointTemplate)
      .default([])
      .describe('Endpoints that every token may serve; {path} stands for a claim: {repository_owner}.ci.example.com.'),
    endpointsClaim: z
      .string()
      .min(1)
      .optional()
      .describe('Path of a claim that lists further endpoints: an array, or a text with spaces between them.'),
    sessionLifetime: duration
      .optional()
      .describe(
        'How long a session may last from when its token was checked, such as 6h for a CI job whose token lasts minutes. Default: until the token expires.',
      ),
  })
  .check((context) => {
    const { value, issues } = context;
    const add = (path: string, message: string) => issues.push({ code: 'custom', input: value, path: [path], message });
    if ([value.jwksUrl, value.keyFile, value.secretFile].filter((source) => source !== undefined).length !== 1) {
      add('jwksUrl', 'exactly one of jwksUrl, keyFile and secretFile is needed');
    }
    if (value.endpoints.length === 0 && value.endpointsClaim === undefined) {
      add('endpoints', 'endpoints or endpointsClaim is needed, or tokens would allow nothing');
    }
    const allowed = allowedAlgorithms(value.secretFile !== undefined);
    const wrong = value.algorithms?.find((algorithm) => !allowed.includes(algorithm));
    if (wrong !== undefined) add('algorithms', `${wrong} does not go with this kind of key`);
  });

/** Options of the provider, defaults filled in. */
export type JwtOptions = z.output<typeof optionsSchema>;

/** What the provider works with besides its options. */
export interface JwtContext {
  /** Milliseconds since 1970. */
  now(): number;
  /** Told when the keys that are kept could not be renewed. */
  readonly logger: Pick<Logger, 'warn'>;
  /** Folder that files are relative to. */
  readonly configDir: string;
  /** Least time between two fetches of a key set, in milliseconds. Default 30,000. */
  readonly cooldownMs?: number;
}

/**
 * Returns the provider.
 * @throws When the file cannot be read or holds no key.
 */
export async function createJwtProvider(options: JwtOptions, context: JwtContext): Promise<AuthProvider> {
  const { jwtVerify } = await import('jose');
  const key = await loadKey(keySourceOf(options, context.configDir), {
    now: () => context.now(),
    logger: context.logger,
    cooldownMs: context.cooldownMs ?? 30_000,
  });
  const algorithms = options.algorithms ?? (options.secretFile === undefined ? asymmetric : ['HS256']);
  const rules = {
    issuer: options.issuer,
    audience: options.audience,
    algorithms: [...algorithms],
    clockTolerance: options.clockTolerance / 1000,
    requiredClaims: ['exp', 'sub'],
  } satisfies JWTVerifyOptions;
  return {
    authenticateAgent: async ({ token }: AgentCredential): Promise<AuthDecision> => {
      if (issuerOf(token) !== options.issuer) return { kind: 'unknown' };
      try {
        const { payload } = await jwtVerify(token, key, { ...rules, currentDate: new Date(context.now()) });
        return decide(payload, options, context.now());
      } catch (error) {
        return { kind: 'deny', reason: refusalOf(error) };
      }
    },
  };
}

function decide(payload: JWTPayload, options: JwtOptions, now: number): AuthDecision {
  for (const [path, wanted] of Object.entries(options.require)) {
    const values: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
    if (!values.includes(claimAt(payload, path)))
      return { kind: 'deny', reason: `the claim ${path} has another value` };
  }
  const endpoints = [
    ...grantedEndpoints(options.endpoints, (path) => textOf(claimAt(payload, path))),
    ...listOf(options.endpointsClaim === undefined ? undefined : claimAt(payload, options.endpointsClaim)),
  ];
  if (endpoints.length === 0) return { kind: 'deny', reason: 'its claims allow no endpoint' };
  const expiresMs = (payload.exp ?? 0) * 1000 + options.clockTolerance;
  const endMs = options.sessionLifetime === undefined ? expiresMs : now + options.sessionLifetime;
  return {
    kind: 'allow',
    principal: `${payload.iss} ${payload.sub}`,
    endpoints,
    expiresAt: new Date(Math.min(endMs, maxDateMs)),
  };
}

/** Returns the issuer that a token claims, before anything is verified; undefined for what is no token of this kind. */
function issuerOf(token: string): unknown {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const payload: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
    return claimAt(payload, 'iss');
  } catch {
    return undefined;
  }
}

/** The claim with this name, or else the one at the path that dots make of it. Own properties only. */
function claimAt(payload: unknown, path: string): unknown {
  const own = (value: unknown, name: string): unknown =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  return own(payload, path) ?? path.split('.').reduce(own, payload);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function listOf(value: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(/[\s,]+/)
      : [];
  return list.filter((entry): entry is string => typeof entry === 'string' && isEndpointPattern(entry));
}

/** Codes of jose that are about the token. Everything else is a failure of the key's source, which proves nothing. */
const tokenFaults = new Set([
  'ERR_JWT_CLAIM_VALIDATION_FAILED',
  'ERR_JWT_EXPIRED',
  'ERR_JWT_INVALID',
  'ERR_JWS_INVALID',
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JOSE_NOT_SUPPORTED',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
]);

/** Returns why a token is refused. Throws what is no fault of the token, without what the error holds of it. */
function refusalOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!tokenFaults.has(code))
    throw new Error(`the key set cannot be had: ${error instanceof Error ? error.message : code}`);
  const claim = error instanceof Error && 'claim' in error ? ` (${String(error.claim)})` : '';
  return `${code}${claim}`;
}

function keySourceOf({ jwksUrl, keyFile, secretFile }: JwtOptions, configDir: string): KeySource {
  if (jwksUrl !== undefined) return { kind: 'jwks', url: new URL(jwksUrl) };
  if (keyFile !== undefined) return { kind: 'key', path: resolve(configDir, keyFile) };
  return { kind: 'secret', path: resolve(configDir, secretFile ?? '') };
}

function allowedAlgorithms(isSecret: boolean): readonly string[] {
  return isSecret ? symmetric : asymmetric;
}

function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}

/** The provider as an extension. */
export const jwt = defineExtension({
  apiVersion: extensionApiVersion,
  kind: 'auth-provider',
  name: 'jwt',
  summary: 'Agents with a JSON Web Token, such as the OIDC token of a CI runner.',
  options: optionsSchema,
  create: (options, context) => createJwtProvider(options, context),
});
