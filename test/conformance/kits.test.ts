/** Every built-in extension, and every one of the example plugin, keeps the contract of its kind. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Extension, RoutingStrategy } from '../../src/extension/index.ts';
import builtIns from '../../src/plugins/index.ts';
import { hashPassword } from '../../src/state/password-hash.ts';
import {
  authProviderKit,
  type ConformanceCheck,
  certificateSourceKit,
  metricsExporterKit,
  routingStrategyKit,
} from '../../src/testing/index.ts';
import { type ClientCa, createClientCa } from '../support/client-certificates.ts';
import { root } from '../support/repository.ts';
import { testContext } from '../support/workshop.ts';

const sample = (await import(`${root}examples/plugin-sample/extensions.js`)) as {
  readonly default: () => Promise<readonly Extension[]>;
};
const extensions = [...((await builtIns()) as readonly unknown[] as readonly Extension[]), ...(await sample.default())];

let stateDir = '';
let ca: ClientCa;
let passwordHash = '';
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'giraffe-conformance-'));
  ca = await createClientCa();
  passwordHash = await hashPassword('correct horse');
});
afterAll(async () => {
  await ca[Symbol.asyncDispose]();
  await rm(stateDir, { recursive: true, force: true });
});

/** Options of the extensions that cannot do without. */
const options: Readonly<Record<string, () => object>> = {
  acme: () => ({ agreeToTerms: true, directoryUrl: 'https://127.0.0.1:1/directory' }),
  basic: () => ({ users: { ann: passwordHash } }),
  jwt: () => ({
    jwksUrl: 'https://127.0.0.1:1/jwks',
    issuer: 'https://id.test',
    audience: 'giraffe',
    endpoints: ['*'],
  }),
  mtls: () => ({ caFile: ca.file, agents: [{ commonName: 'ann', endpoints: ['*'] }] }),
  'shared-secret': () => ({ secret: 'sixteen characters', domain: 'example.com' }),
  rules: () => ({
    rules: [{ when: { paths: ['/api/'] }, answer: { status: 503, body: 'later' } }, { use: { label: 'x' } }],
  }),
};

function checksOf(extension: Extension): readonly ConformanceCheck[] {
  const make = () => {
    const context = testContext({ stateDir, configDir: stateDir });
    return extension.create(extension.options.parse(options[extension.name]?.() ?? {}), context);
  };
  const kits = {
    'routing-strategy': routingStrategyKit,
    'auth-provider': authProviderKit,
    'metrics-exporter': metricsExporterKit,
    'certificate-source': certificateSourceKit,
  };
  return kits[extension.kind](make as never);
}

describe.each(extensions.map((extension) => [`${extension.kind} ${extension.name}`, extension] as const))(
  '%s',
  (_, extension) => {
    it.each(checksOf(extension).map((check) => [check.name, check] as const))('%s', async (_name, check) => {
      await expect(check.run()).resolves.toBeUndefined();
    });
  },
);

describe('the kits', () => {
  /** Returns the checks that an extension fails. */
  async function failing(checks: readonly ConformanceCheck[]): Promise<string[]> {
    const results = await Promise.allSettled(checks.map(({ run }) => run()));
    return checks.filter((_, index) => results[index]?.status === 'rejected').map(({ name }) => name);
  }

  it('find a strategy that invents candidates, splits responses, and answers with an interim status', async () => {
    const strategy: RoutingStrategy = {
      select: ([first]) => ({ candidate: { ...first }, responseFields: [['X-A', 'a\r\nb']] }),
      answer: () => ({ status: 100, fields: [], body: '' }),
      explain: () => '',
    };
    expect(await failing(routingStrategyKit(async () => strategy))).toHaveLength(4);
  });

  it('find a provider that lets everybody in', async () => {
    const checks = authProviderKit(async () => ({
      authenticateAgent: async () => ({ kind: 'allow', principal: 'a', endpoints: ['*'], expiresAt: undefined }),
      authorizeVisitor: async () => ({ kind: 'allow', consumesAuthorization: false }),
      isStillAllowed: () => true,
    }));
    expect(await failing(checks)).toHaveLength(3);
  });

  it('find an exporter that counts how often it is asked', async () => {
    let asked = 0;
    const render = (): string => {
      asked += 1;
      return String(asked);
    };
    const checks = metricsExporterKit(async () => ({ mode: 'pull', contentType: '', render }));
    expect(await failing(checks)).toHaveLength(2);
  });
});
