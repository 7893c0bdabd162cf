/** How a test uses the fixture. */
import { expect } from 'vitest';
import { test } from './tunnel-fixture.ts';

test('the service answers under its public URL', async ({ publicUrl }) => {
  const response = await fetch(publicUrl);
  expect(response.status).toBe(200);
  expect(await response.text()).toBe(`hello from ${new URL(publicUrl).host}`);
});
