import type { StoreLimits } from '../../src/inspector/exchange-store.ts';

/** What the request inspector keeps by default. */
export const storeLimits: StoreLimits = {
  maxExchanges: 500,
  maxBytes: 32 * 1024 * 1024,
  maxBodyBytes: 256 * 1024,
};
