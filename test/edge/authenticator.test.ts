import { describe, expect, it } from 'vitest';
import { Authenticator } from '../../src/edge/authenticator.ts';
import type { NamedAuthProvider } from '../../src/edge/edge-options.ts';
import { ExtensionGuard } from '../../src/extension/guard.ts';
import type { AgentCredential, AuthDecision, AuthProvider, RoutingRequest } from '../../src/extension/index.ts';
import { recordingLogger } from '../support/world.ts';

const token = 'grf_the-secret-of-the-test';
const credential: AgentCredential = { token, certificate: undefined, address: '192.0.2.1' };
const allowed: AuthDecision = { kind: 'allow', principal: 'me', endpoints: ['*'], expiresAt: undefined };
const never = new Promise<never>(() => {});

function request(authorization?: string): RoutingRequest {
  return {
    method: 'GET',
    host: 'app.test',
    path: '/',
    fields: authorization === undefined ? [] : [['Authorization', authorization]],
    isUpgrade: false,
    clientAddress: '192.0.2.1',
  };
}

function setUp(providers: readonly AuthProvider[], { timeoutMs = 5000, now = (): number => 0 } = {}) {
  const { logger, lines } = recordingLogger();
  const named = providers.map((provider, index): NamedAuthProvider => ({ name: `p${index + 1}`, provider }));
  const guard = new ExtensionGuard();
  const authenticator = new Authenticator(named, { logger, guard, timeoutMs, isShared: () => false, now });
  const faults = () => guard.metric().samples.map(({ labels, value }) => [labels['name'], value]);
  return { authenticator, lines, faults };
}

/** A provider that answers the same to everybody, and counts how often it was asked. */
function answering(decision: AuthDecision): AuthProvider & { asked: number } {
  const provider = {
    asked: 0,
    authenticateAgent: async () => {
      provider.asked += 1;
      return decision;
    },
  };
  return provider;
}

describe('Authenticator, for agents', () => {
  it('asks in order until one knows the credentials, and names the principal after it', async () => {
    const { authenticator } = setUp([{}, answering({ kind: 'unknown' }), answering(allowed), answering(allowed)]);
    expect(await authenticator.authenticateAgent(credential)).toEqual({
      id: 'p3:me',
      endpoints: ['*'],
      expiresAt: undefined,
      source: { provider: 'p3', principal: 'me' },
    });
  });

  it('asks nobody else after a refusal', async () => {
    const second = answering(allowed);
    const { authenticator } = setUp([answering({ kind: 'deny', reason: 'revoked' }), second]);
    await expect(authenticator.authenticateAgent(credential)).rejects.toMatchObject({
      code: 'GIR_ERR_CREDENTIALS_REFUSED',
    });
    expect(second.asked).toBe(0);
  });

  it.each([
    ['nobody knows the credentials', [answering({ kind: 'unknown' })]],
    ['there is no provider at all', []],
    ['they have expired', [answering({ ...allowed, expiresAt: new Date(0) } as AuthDecision)]],
    ['the provider takes its word back', [{ ...answering(allowed), isStillAllowed: () => false }]],
  ])('refuses when %s', async (_case, providers) => {
    const { authenticator } = setUp(providers);
    await expect(authenticator.authenticateAgent(credential)).rejects.toMatchObject({
      code: 'GIR_ERR_CREDENTIALS_REFUSED',
    });
  });

  it.each<[string, AuthProvider['authenticateAgent']]>([
    ['throws', async () => Promise.reject(new Error('the database is down'))],
    [
      'throws at once',
      () => {
        throw new Error('the database is down');
      },
    ],
    ['stalls', () => never],
    ['says nothing', async () => undefined as never],
    ['says a word that nobody knows', async () => ({ ...allowed, kind: 'denied' }) as never],
    ['names no principal', async () => ({ ...allowed, principal: '' })],
    ['names no endpoints', async () => ({ ...allowed, endpoints: '*' }) as never],
    ['allows until a time that is none', async () => ({ ...allowed, expiresAt: new Date(Number.NaN) })],
  ])('S2 lets nobody in when a provider %s, but does not make agents give up', async (_case, authenticateAgent) => {
    const second = answering(allowed);
    const { authenticator, lines, faults } = setUp([{ authenticateAgent } as AuthProvider, second], { timeoutMs: 20 });
    await expect(authenticator.authenticateAgent(credential)).rejects.toMatchObject({
      code: 'GIR_ERR_EXTENSION_FAULT',
      message: 'the edge could not check the credentials',
    });
    expect(second.asked).toBe(0);
    expect(lines).toMatchObject([{ level: 'error', provider: 'p1', err: expect.any(Error) }]);
    expect(faults()).toEqual([['p1', 1]]);
  });

  it('tells a provider that it is too late', async () => {
    const aborted = new Promise<boolean>((resolve) => {
      const authenticateAgent: AuthProvider['authenticateAgent'] = (_credential, signal) => {
        signal.addEventListener('abort', () => resolve(true));
        return never;
      };
      setUp([{ authenticateAgent }], { timeoutMs: 10 })
        .authenticator.authenticateAgent(credential)
        .catch(() => {});
    });
    expect(await aborted).toBe(true);
  });

  it('S7 writes no credential into the log', async () => {
    const { authenticator, lines } = setUp([answering({ kind: 'unknown' })]);
    await expect(authenticator.authenticateAgent(credential)).rejects.toThrow();
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain(token);
  });

  it('refuses an address that fails again and again without asking, and nobody else', async () => {
    const provider = answering({ kind: 'unknown' });
    const { authenticator } = setUp([provider]);
    const attempts = Array.from({ length: 30 }, () => authenticator.authenticateAgent(credential).catch(() => {}));
    await expect(authenticator.authenticateAgent({ ...credential, address: '192.0.2.2' })).rejects.toMatchObject({
      code: 'GIR_ERR_CREDENTIALS_REFUSED',
    });
    await Promise.all(attempts);
    expect(provider.asked).toBe(31);
    await expect(authenticator.authenticateAgent(credential)).rejects.toMatchObject({
      code: 'GIR_ERR_AUTH_THROTTLED',
      fields: [['Retry-After', expect.stringMatching(/^(?:[5-9]|10)$/)]],
    });
    expect(provider.asked).toBe(31);
  });
});

describe('Authenticator, for sessions', () => {
  it('S3 says why a session has to end', async () => {
    let nowMs = 0;
    let isAllowed: () => unknown = () => true;
    const provider: AuthProvider = {
      authenticateAgent: async () => ({ ...allowed, expiresAt: new Date(1000) }) as AuthDecision,
      isStillAllowed: () => isAllowed() as boolean,
    };
    const { authenticator, faults } = setUp([provider], { now: () => nowMs });
    const principal = await authenticator.authenticateAgent(credential);
    expect(authenticator.revocation(principal)).toBeUndefined();
    isAllowed = () => false;
    expect(authenticator.revocation(principal)).toBe('the credentials were revoked');
    isAllowed = () => {
      throw new Error('broken');
    };
    expect(authenticator.revocation(principal)).toContain('could not check');
    isAllowed = async () => true;
    expect(authenticator.revocation(principal)).toContain('could not check');
    expect(faults()).toEqual([['p1', 2]]);
    nowMs = 1000;
    expect(authenticator.revocation(principal)).toBe('the credentials expired on 1970-01-01T00:00:01.000Z');
  });

  it('ends sessions whose provider is not in the configuration any more', async () => {
    const { authenticator } = setUp([answering(allowed)]);
    const principal = await authenticator.authenticateAgent(credential);
    authenticator.use([{ name: 'p1', provider: answering({ kind: 'unknown' }) }]);
    expect(authenticator.revocation(principal)).toBeUndefined();
    authenticator.use([{ name: 'other', provider: answering(allowed) }]);
    expect(authenticator.revocation(principal)).toContain('does not take such credentials');
  });
});

describe('Authenticator, for visitors', () => {
  const unknown: AuthProvider = { authorizeVisitor: async () => ({ kind: 'unknown' }) };
  const open: AuthProvider = { authorizeVisitor: async () => ({ kind: 'allow', consumesAuthorization: true }) };
  const closed = (challenge?: string): AuthProvider => ({
    authorizeVisitor: async () => ({ kind: 'deny', challenge }),
  });

  it('needs to be asked only when a provider has a say', () => {
    expect(setUp([answering(allowed)]).authenticator.hasVisitorProviders).toBe(false);
    expect(setUp([answering(allowed), open]).authenticator.hasVisitorProviders).toBe(true);
  });

  it('lets everybody in where nobody has a say, with the Authorization for the origin', async () => {
    expect(await setUp([unknown]).authenticator.authorizeVisitor(request())).toEqual({ consumesAuthorization: false });
  });

  it('takes the word of the first that has a say', async () => {
    expect(await setUp([unknown, open, closed()]).authenticator.authorizeVisitor(request())).toMatchObject({
      consumesAuthorization: true,
    });
    await expect(setUp([unknown, closed(), open]).authenticator.authorizeVisitor(request())).rejects.toMatchObject({
      code: 'GIR_ERR_AUTH_DENIED',
    });
  });

  it('asks for credentials with a challenge', async () => {
    await expect(setUp([closed('Basic realm="x"')]).authenticator.authorizeVisitor(request())).rejects.toMatchObject({
      code: 'GIR_ERR_AUTH_REQUIRED',
      fields: [['WWW-Authenticate', 'Basic realm="x"']],
    });
  });

  it.each<[string, AuthProvider['authorizeVisitor']]>([
    ['throws', async () => Promise.reject(new Error('broken'))],
    ['stalls', () => never],
    ['says nothing', async () => undefined as never],
    ['says a word that nobody knows', async () => ({ kind: 'denied' }) as never],
  ])('lets nobody in when a provider %s', async (_case, authorizeVisitor) => {
    const { authenticator, faults } = setUp([{ authorizeVisitor } as AuthProvider, open], { timeoutMs: 20 });
    await expect(authenticator.authorizeVisitor(request())).rejects.toMatchObject({ code: 'GIR_ERR_EXTENSION_FAULT' });
    expect(faults()).toEqual([['p1', 1]]);
  });

  it('counts wrong passwords and not visits without one', async () => {
    const { authenticator } = setUp([closed('Basic realm="x"')]);
    const visit = (authorization?: string) =>
      authenticator.authorizeVisitor(request(authorization)).catch((error: { code: string }) => error.code);
    await Promise.all(Array.from({ length: 40 }, () => visit()));
    expect(await visit('Basic d3Jvbmc=')).toBe('GIR_ERR_AUTH_REQUIRED');
    await Promise.all(Array.from({ length: 30 }, () => visit('Basic d3Jvbmc=')));
    expect(await visit('Basic d3Jvbmc=')).toBe('GIR_ERR_AUTH_THROTTLED');
    expect(await visit()).toBe('GIR_ERR_AUTH_REQUIRED');
  });
});
