/** What every authentication provider must keep: above all, that nobody gets in without credentials. */
import assert from 'node:assert/strict';
import type { AgentCredential, AuthProvider } from '../extension/index.ts';
import { type ConformanceCheck, plainRequest as request, withInstance } from './conformance.ts';

const bare: AgentCredential = { token: '', certificate: undefined, address: '192.0.2.1' };
/** Credentials that nobody can have been given. */
const strangers: readonly AgentCredential[] = [
  bare,
  { ...bare, token: 'no such token' },
  { ...bare, token: '__proto__' },
  { ...bare, token: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.' },
  { ...bare, token: 'x'.repeat(8192) },
  { ...bare, certificate: [] },
  { ...bare, certificate: [Buffer.from('no certificate')] },
];

/** Returns the checks for a provider. @param make Makes an instance, with options of your choice. */
export function authProviderKit(
  make: () => Promise<AuthProvider & Partial<AsyncDisposable>>,
): readonly ConformanceCheck[] {
  const { signal } = new AbortController();
  return [
    {
      name: 'decides about agents, visitors or both',
      run: () =>
        withInstance(make, ({ authenticateAgent, authorizeVisitor }) => {
          assert(authenticateAgent !== undefined || authorizeVisitor !== undefined, 'it has no method');
        }),
    },
    {
      name: 'lets no agent in that nobody can know',
      run: () =>
        withInstance(make, async (provider) => {
          for (const credential of strangers) {
            const kind = await kindOf(provider.authenticateAgent?.(credential, signal));
            assert(kind === 'deny' || kind === 'unknown', `${kind} for ${JSON.stringify(credential).slice(0, 80)}`);
          }
        }),
    },
    {
      name: 'allows no principal afterwards that it does not know',
      run: () =>
        withInstance(make, (provider) => {
          assert.equal(provider.isStillAllowed?.('nobody of this name') ?? false, false);
        }),
    },
    {
      name: 'lets no visitor of its endpoints in with credentials that are none',
      run: () =>
        withInstance(make, async (provider) => {
          for (const authorization of [undefined, '', 'Basic', 'Basic !!', `Bearer ${'x'.repeat(5000)}`]) {
            const kind = await kindOf(provider.authorizeVisitor?.(request, authorization, signal));
            assert(kind === 'deny' || kind === 'unknown', `${kind} for ${authorization?.slice(0, 40)}`);
          }
        }),
    },
    {
      name: 'settles when its time is over',
      run: () =>
        withInstance(make, async (provider) => {
          await kindOf(provider.authenticateAgent?.(bare, AbortSignal.abort()));
          await kindOf(provider.authorizeVisitor?.(request, undefined, AbortSignal.abort()));
        }),
    },
  ];
}

/** A provider without the method has no say; one that throws denies. */
async function kindOf(decision: Promise<{ readonly kind: string }> | undefined): Promise<string> {
  if (decision === undefined) return 'unknown';
  return decision.then(
    ({ kind }) => kind,
    () => 'deny',
  );
}
