/**
 * The default provider: tokens that `giraffe token create` makes, kept in the state folder as hashes.
 *
 * Files are looked at a few times a second, so a token that any process makes or revokes is good, or no longer good,
 * within a second.
 */
import * as z from 'zod';
import {
  type AuthProvider,
  defineExtension,
  type ExtensionContext,
  extensionApiVersion,
} from '../../extension/index.ts';
import { openStateFolder } from '../../state/state-folder.ts';
import { isSecret } from '../../state/token-format.ts';
import { openTokenStore, type TokenStore } from '../../state/token-store.ts';

/** Time between looks at the files, in milliseconds. */
const refreshMs = 250;

/** Returns the provider over a token store that somebody else keeps fresh. */
function createTokenProvider(store: TokenStore): AuthProvider {
  return {
    authenticateAgent: async ({ token }) => {
      if (!isSecret('grf', token)) return { kind: 'unknown' };
      const owner = store.authenticate(token);
      if (owner === undefined) return { kind: 'deny', reason: 'the token is unknown, revoked or expired' };
      return { kind: 'allow', principal: owner.id, endpoints: owner.endpoints, expiresAt: owner.expiresAt };
    },
    isStillAllowed: (principal) => store.principal(principal) !== undefined,
  };
}

async function openTokenProvider({ stateDir, logger, now }: ExtensionContext): Promise<AuthProvider & AsyncDisposable> {
  const folder = await openStateFolder(stateDir, {
    onWarning: ({ path, message }) => logger.warn({ path, detail: message }, 'state folder'),
  });
  const store = await openTokenStore(folder, now);
  const timer = setInterval(() => void store.refresh(), refreshMs);
  timer.unref();
  return {
    ...createTokenProvider(store),
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The provider as an extension. */
export const tokens = defineExtension({
  apiVersion: extensionApiVersion,
  kind: 'auth-provider',
  name: 'tokens',
  summary: 'Agents with a token of the state folder (`giraffe token create`). The default.',
  options: z.strictObject({}),
  create: (_options, context) => openTokenProvider(context),
});
