/** An auth provider: every agent that knows one secret may serve the endpoints below one domain. */
import { createHash, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';

const digest = (text) => createHash('sha256').update(text).digest();

/** @type {import('giraffe-tunnel/extension').Extension<'auth-provider'>} */
export const sharedSecret = {
  apiVersion: 1,
  kind: 'auth-provider',
  name: 'shared-secret',
  summary: 'Agents that know one secret may serve the endpoints below one domain.',
  options: z.strictObject({
    secret: z.string().min(16).describe('The secret.').meta({ secret: true }),
    domain: z.string().describe('Domain whose subdomains they may serve.'),
  }),
  create: async ({ secret, domain }) => {
    const expected = digest(secret);
    return {
      authenticateAgent: async ({ token }) =>
        timingSafeEqual(digest(token), expected)
          ? { kind: 'allow', principal: 'team', endpoints: [`*.${domain}`], expiresAt: undefined }
          : { kind: 'unknown' },
      isStillAllowed: (principal) => principal === 'team',
    };
  },
};
