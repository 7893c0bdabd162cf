/**
 * A fixture for Playwright: `baseURL` is the public URL of a tunnel to the service under test, once for each worker.
 *
 * GIRAFFE_SERVER, GIRAFFE_TOKEN and GIRAFFE_CA name your edge, and APP_PORT the port of your service. Use it in place of
 * the `test` of @playwright/test:
 *
 *     import { test } from './tunnel-fixture.ts';
 *     test('home page', async ({ page }) => { await page.goto('/'); });
 */
import { test as base } from '@playwright/test';
import { openTunnel } from 'giraffe-tunnel';

// biome-ignore lint/style/noProcessEnv: this is configuration, and a test has no other place for it.
const { GIRAFFE_SERVER: server, GIRAFFE_TOKEN: token, GIRAFFE_CA: ca, APP_PORT = '3000' } = process.env;

/** `test` with a public `baseURL`. */
export const test = base.extend<object, { readonly publicUrl: string }>({
  publicUrl: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern to know what a fixture needs.
    async ({}, use) => {
      await using tunnel = await openTunnel({ target: Number(APP_PORT), server, token, ca, waitReady: 'origin' });
      await use(tunnel.url);
    },
    { scope: 'worker' },
  ],
  baseURL: ({ publicUrl }, use) => use(publicUrl),
});
