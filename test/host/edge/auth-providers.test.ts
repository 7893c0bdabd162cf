import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type AuthProvider, defineExtension, type Extension } from '../../../src/extension/index.ts';
import { createAuthProviders } from '../../../src/host/edge/auth-providers.ts';
import { ExtensionRegistry } from '../../../src/host/extensions/extension-registry.ts';
import { testWorkshop } from '../../support/workshop.ts';

const workshop = testWorkshop();
const forAgents: AuthProvider = { authenticateAgent: async () => ({ kind: 'unknown' }) };
const forVisitors: AuthProvider = { authorizeVisitor: async () => ({ kind: 'unknown' }) };

/** A registry of providers that write down when they are made and ended. */
function setUp(providers: Readonly<Record<string, AuthProvider | Error>>) {
  const told: string[] = [];
  const extensions = Object.entries(providers).map(([name, provider]) =>
    defineExtension({
      apiVersion: 1,
      kind: 'auth-provider',
      name,
      summary: '',
      options: z.strictObject({ realm: z.string().optional() }),
      create: async () => {
        if (provider instanceof Error) throw provider;
        told.push(`made ${name}`);
        return { ...provider, [Symbol.asyncDispose]: async () => void told.push(`ended ${name}`) };
      },
    }),
  );
  const installed = extensions.map((extension) => ({
    extension: extension as Extension,
    plugin: 'giraffe-plugin-test',
  }));
  return { registry: new ExtensionRegistry(installed), told };
}

const named = (...names: string[]) => names.map((provider) => ({ provider, options: {} }));

describe('createAuthProviders()', () => {
  it('uses tokens when nothing is configured', async () => {
    const { registry } = setUp({ tokens: forAgents });
    const made = await createAuthProviders(registry, [], workshop);
    expect(made.value.map(({ name }) => name)).toEqual(['tokens']);
  });

  it('keeps the order, and adds tokens only when nobody else decides about agents', async () => {
    const { registry } = setUp({ tokens: forAgents, jwt: forAgents, basic: forVisitors });
    const both = await createAuthProviders(registry, named('basic', 'jwt'), workshop);
    expect(both.value.map(({ name }) => name)).toEqual(['basic', 'jwt']);
    const visitors = await createAuthProviders(registry, named('basic', 'basic'), workshop);
    expect(visitors.value.map(({ name }) => name)).toEqual(['tokens', 'basic', 'basic']);
  });

  it('ends providers in reverse', async () => {
    const { registry, told } = setUp({ a: forAgents, b: forVisitors });
    const made = await createAuthProviders(registry, named('a', 'b'), workshop);
    await made.end();
    expect(told).toEqual(['made a', 'made b', 'ended b', 'ended a']);
  });

  it('ends what it has made when another one fails, and names that', async () => {
    const { registry, told } = setUp({ a: forAgents, b: new Error('no database') });
    await expect(createAuthProviders(registry, named('a', 'b'), workshop)).rejects.toMatchObject({
      code: 'GIR_ERR_EXTENSION_LOAD',
      message: 'plugin giraffe-plugin-test: the auth provider b could not be made: no database',
    });
    expect(told).toEqual(['made a', 'ended a']);
  });

  it('says which provider is missing, and which options are wrong', async () => {
    const { registry } = setUp({ tokens: forAgents });
    await expect(createAuthProviders(registry, named('token'), workshop)).rejects.toMatchObject({
      code: 'GIR_ERR_CONFIG',
      message: 'no auth provider named token; there is tokens',
    });
    const wrong = [{ provider: 'tokens', options: { realm: 7 } }];
    await expect(createAuthProviders(registry, wrong, workshop)).rejects.toMatchObject({
      code: 'GIR_ERR_CONFIG',
      message: expect.stringContaining('realm'),
    });
  });

  it('without the built-in extensions, says what is missing', async () => {
    await expect(createAuthProviders(new ExtensionRegistry([]), [], workshop)).rejects.toMatchObject({
      message: 'no auth provider named tokens; none is installed',
    });
  });
});
