/** How a test uses the fixture. */
import { expect } from '@playwright/test';
import { test } from './tunnel-fixture.ts';

test('the page comes through the tunnel', async ({ page, baseURL }) => {
  await page.goto('/');
  expect(page.url()).toBe(`${baseURL}/`);
  await expect(page.locator('body')).toContainText('hello');
});
