/** Stops the end-to-end tests with one clear line when there is no build to test. */
import { existsSync } from 'node:fs';

const built = new URL('../../dist/commands/tunnel.js', import.meta.url);

/** Called by vitest before the first end-to-end test. */
export function setup(): void {
  if (!existsSync(built)) throw new Error('dist/ is missing: run `npm run build` before the end-to-end tests');
}
