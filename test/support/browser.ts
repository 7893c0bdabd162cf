/** Debian's Chromium, driven by playwright-core, for tests of the pages. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** A page that keeps what its console said of errors, and which hosts it spoke to. */
export interface TestPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors of scripts and of the content security policy. */
  readonly errors: readonly string[];
  /** Origins that anything was loaded from. */
  readonly origins: ReadonlySet<string>;
}

/** Starts a browser. Foreign names lead to this machine, so that a page can try DNS rebinding. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--host-resolver-rules=MAP evil.test 127.0.0.1'],
  });
}

/** Opens a page in a context of its own. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<TestPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const errors: string[] = [];
  const origins = new Set<string>();
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  await page.goto(url);
  return { page, errors, origins, [Symbol.asyncDispose]: () => context.close() };
}

/** Whether nothing of a page lies beside the window. */
export function fitsWidth(page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth <= innerWidth');
}
