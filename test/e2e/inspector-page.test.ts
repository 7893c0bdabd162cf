/** The inspector's page as a developer uses it, in a real browser. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { tell } from '../inspector/recorded.ts';
import { frame } from '../inspector/web-socket-frame.ts';
import { fitsWidth, openPage, startBrowser } from '../support/browser.ts';
import { type InspectedWorld, startInspectedWorld } from '../support/inspected-world.ts';
import { type Origin, startHttpOrigin } from '../support/origins.ts';
import { hasPrograms } from '../support/programs.ts';
import { startWebSocketOrigin } from '../support/websocket-origin.ts';

const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const secret = { Authorization: 'Bearer hunter2', 'Content-Type': 'application/json' };

/** What came to the origin. */
interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

async function answer(request: IncomingMessage, response: ServerResponse, seen: Seen[]): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const { method = '', url = '', headers } = request;
  seen.push({ method, url, authorization: headers.authorization, body });
  if (url.startsWith('/image')) return void response.setHeader('Content-Type', 'image/png').end(pixel);
  if (url.startsWith('/missing')) return void response.writeHead(404).end('nothing here');
  response.setHeader('Content-Type', 'application/json');
  if (!url.startsWith('/gzip')) return void response.end(JSON.stringify({ received: body.length }));
  response.setHeader('Content-Encoding', 'gzip').end(gzipSync('{"greeting":"hello from gzip"}'));
}

describe.skipIf(!hasPrograms('chromium'))('the page of the inspector', () => {
  const seen: Seen[] = [];
  let browser: Browser;
  let origin: Origin;
  let world: InspectedWorld;

  beforeAll(async () => {
    origin = await startHttpOrigin((request, response) => void answer(request, response, seen));
    [browser, world] = await Promise.all([startBrowser(), startInspectedWorld(origin)]);
  });

  afterAll(async () => {
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
    await origin?.[Symbol.asyncDispose]();
  });

  const line = (page: Page, path: string) =>
    page.getByRole('list', { name: /Requests/ }).getByRole('button', { name: path });

  it('says where to send the first request, then shows requests as they come, with bodies decoded', async () => {
    world.inspector.store.clear();
    await using opened = await openPage(browser, world.url);
    const { page, errors, origins } = opened;
    await page.getByRole('link', { name: `http://app.test:${world.port}` }).waitFor();
    await world.client.get('/gzip/a');
    await line(page, '/gzip/a').click();
    await page.getByLabel('Body as JSON').getByText('"hello from gzip"').waitFor();
    await page.getByText('gzip decoded').waitFor();
    await page.getByText('Service', { exact: false }).first().waitFor();
    await world.client.get('/image/b');
    await line(page, '/image/b').click();
    await page.getByText('1 × 1').waitFor();
    expect(errors).toEqual([]);
    // The picture is a blob of the page itself.
    expect([...origins].filter((one) => one !== 'null')).toEqual([world.url.slice(0, -1)]);
  });

  it('hides secrets until they are asked for', async () => {
    world.inspector.store.clear();
    await world.client.send('POST', '/orders?token=hunter2', '{}', { headers: secret });
    await using opened = await openPage(browser, world.url);
    const { page } = opened;
    await line(page, '/orders').click();
    await page.getByRole('tab', { name: 'Request' }).click();
    await page.getByText('Bearer [masked]').waitFor();
    expect(await page.content()).not.toContain('hunter2');
    await page.getByRole('button', { name: 'Show secrets' }).click();
    await page.getByText('Bearer hunter2').waitFor();
  });

  it('finds requests by words and by kind', async () => {
    world.inspector.store.clear();
    for (const path of ['/one', '/two', '/missing/three']) await world.client.get(path);
    await using opened = await openPage(browser, world.url);
    const { page } = opened;
    const count = page.locator('.search-count');
    await expect.poll(() => count.textContent()).toBe('3');
    await page.getByRole('searchbox').fill('status:4xx');
    await expect.poll(() => count.textContent()).toBe('1 of 3');
    await page.getByRole('searchbox').fill('-missing get');
    await expect.poll(() => count.textContent()).toBe('2 of 3');
    await page.getByRole('searchbox').fill('');
    await page.getByRole('button', { name: 'Errors' }).click();
    await expect.poll(() => count.textContent()).toBe('1 of 3');
    await line(page, '/missing/three').waitFor();
  });

  it('sends a request again as it was, and edited, secrets included though it never showed them', async () => {
    world.inspector.store.clear();
    await world.client.send('POST', '/orders', '{"amount":1}', { headers: secret });
    await using opened = await openPage(browser, world.url);
    const { page } = opened;
    seen.length = 0;
    await line(page, '/orders').click();
    await page.getByRole('button', { name: 'Replay' }).click();
    await page.getByText('replay of an earlier request').waitFor();
    expect(seen).toEqual([{ method: 'POST', url: '/orders', authorization: 'Bearer hunter2', body: '{"amount":1}' }]);
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Path and query').fill('/orders/edited');
    await page.getByLabel('Body').last().fill('{"amount":2}');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await line(page, '/orders/edited').waitFor();
    expect(seen[1]).toEqual({
      method: 'POST',
      url: '/orders/edited',
      authorization: 'Bearer hunter2',
      body: '{"amount":2}',
    });
  });

  it('sends a form with its line ends when a part of it was edited', async () => {
    world.inspector.store.clear();
    const form = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n--x--\r\n';
    const headers = { 'Content-Type': 'multipart/form-data; boundary=x' };
    await world.client.send('POST', '/form', form, { headers });
    await using opened = await openPage(browser, world.url);
    const { page } = opened;
    seen.length = 0;
    await line(page, '/form').click();
    await page.getByRole('button', { name: 'Edit' }).click();
    const field = page.getByLabel('Body').last();
    await field.fill((await field.inputValue()).replace('one', 'two'));
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('replay of an earlier request').waitFor();
    expect(seen.map(({ body }) => body)).toEqual([form.replace('one', 'two')]);
  });

  it('tells what is wrong with an edited request and keeps what was written', async () => {
    world.inspector.store.clear();
    await world.client.get('/orders');
    await using opened = await openPage(browser, world.url);
    const { page } = opened;
    await line(page, '/orders').click();
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Path and query').fill('no path');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('alert').getByText('request target').waitFor();
    expect(await page.getByLabel('Path and query').inputValue()).toBe('no path');
  });

  it('copies a request as curl', async () => {
    world.inspector.store.clear();
    await world.client.send('POST', '/orders', "it's", { headers: secret });
    await using opened = await openPage(browser, world.url, { permissions: ['clipboard-read', 'clipboard-write'] });
    const { page } = opened;
    await line(page, '/orders').click();
    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await page.getByText('Copied, secrets masked').waitFor();
    const copied = await page.evaluate('navigator.clipboard.readText()');
    expect(copied).toContain("curl 'http://app.test/orders'");
    expect(copied).toContain("--header 'Authorization: Bearer [masked]'");
    expect(copied).toContain(String.raw`--data-raw 'it'\''s'`);
  });

  it('can be used with the keyboard alone', async () => {
    world.inspector.store.clear();
    for (const path of ['/one', '/two', '/three']) await world.client.get(path);
    await using opened = await openPage(browser, world.url);
    const { page } = opened;
    const current = page.locator('.exchange[aria-current=true]');
    await line(page, '/one').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await expect.poll(() => current.textContent()).toContain('/two');
    await page.keyboard.press('k');
    await expect.poll(() => current.textContent()).toContain('/three');
    await page.getByRole('article').waitFor();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate('document.activeElement.role')).toBe('tab');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Request');
    seen.length = 0;
    await page.keyboard.press('r');
    await page.getByText('Sent again').waitFor();
    expect(seen.map(({ url }) => url)).toEqual(['/three']);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys and search' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('/');
    await page.keyboard.type('two');
    await expect.poll(() => page.locator('.search-count').textContent()).toBe('1 of 4');
  });

  it('makes lines of those requests alone that somebody may see, however many are kept', async () => {
    await using own = await startInspectedWorld(origin, { maxExchanges: 10_000 });
    for (let number = 1; number <= 3000; number += 1) tell(own.inspector.store, { target: `/item/${number}` });
    await using opened = await openPage(browser, own.url);
    const { page } = opened;
    const lines = page.locator('.exchange');
    await expect.poll(() => page.locator('.search-count').textContent()).toBe('3000');
    expect(await lines.count()).toBe(200);
    await page.evaluate('document.querySelector(".exchanges").scrollTop = 1e6');
    await expect.poll(() => lines.count()).toBe(400);
    await page.getByRole('searchbox').fill('item/1');
    await expect.poll(() => page.locator('.search-count').textContent()).toBe('1111 of 3000');
    expect(await lines.count()).toBe(200);
    const [first] = own.inspector.store.list().slice(-1);
    await page.goto(`${own.url}#${first?.id}`);
    await page.reload();
    await expect.poll(() => page.locator('.exchange[aria-current=true]').textContent()).toContain('/item/1');
  });

  it('is dark where the system is, and fits a phone', async () => {
    world.inspector.store.clear();
    await world.client.get(`/${'long/'.repeat(80)}?${'q=1234567890&'.repeat(20)}`);
    const phone = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const;
    await using opened = await openPage(browser, world.url, phone);
    const { page } = opened;
    const lightness =
      'getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((a, b) => a + Number(b), 0)';
    expect(await page.evaluate(lightness)).toBeLessThan(120);
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await page.evaluate(lightness)).toBeGreaterThan(600);
    await line(page, '/long').click();
    for (const tab of ['Request', 'Response']) {
      await page.getByRole('tab', { name: tab }).click();
      expect(await fitsWidth(page)).toBe(true);
    }
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Path and query').waitFor();
    expect(await fitsWidth(page)).toBe(true);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Back to the list' }).press('Enter');
    const focused = () => page.evaluate('document.activeElement.className + document.activeElement.role');
    await expect.poll(focused).toContain('exchange');
    await page.keyboard.press('Enter');
    await expect.poll(focused).toContain('tab');
    await page.keyboard.press('Escape');
    await expect.poll(focused).toContain('exchange');
    await line(page, '/long').waitFor();
    expect(await fitsWidth(page)).toBe(true);
  });

  it('shows the messages of a WebSocket as they come', async () => {
    await using sockets = await startWebSocketOrigin(undefined, { perMessageDeflate: { threshold: 0 } });
    await using chat = await startInspectedWorld(sockets);
    const socket = new WebSocket(`ws://127.0.0.1:${chat.port}/chat`, { headers: { Host: 'app.test' } });
    await once(socket, 'open');
    await using opened = await openPage(browser, chat.url);
    const { page } = opened;
    await line(page, '/chat').click();
    for (const text of ['first', 'second, which refers back to the first']) {
      socket.send(text);
      const messages = page.getByLabel('Messages').getByText(text, { exact: true });
      await expect.poll(() => messages.count()).toBe(2);
    }
    const closed = once(socket, 'close');
    socket.close(4000, 'enough');
    await page.getByText('4000 enough').first().waitFor();
    await closed;
  });

  it('asks again for the messages of a WebSocket that is over, when it got no answer', async () => {
    await using own = await startInspectedWorld(origin);
    const record = tell(own.inspector.store, {
      target: '/chat',
      upgrade: 'websocket',
      status: 101,
      answerFields: [['Upgrade', 'websocket']],
      isLive: true,
    });
    record.onRelayed('toClient', frame({ payload: 'hello' }));
    record.onFinished(undefined);
    await using opened = await openPage(browser, own.url);
    const { page } = opened;
    let asked = 0;
    await page.route('**/messages?*', (route) => {
      asked += 1;
      return asked === 1 ? route.abort() : route.continue();
    });
    await line(page, '/chat').click();
    await page.getByLabel('Messages').getByText('hello', { exact: true }).waitFor();
    expect(asked).toBe(2);
  });

  it('says when the agent is gone', async () => {
    const own = await startInspectedWorld(origin);
    await own.client.get('/one');
    await using opened = await openPage(browser, own.url);
    const { page } = opened;
    await line(page, '/one').waitFor();
    await own[Symbol.asyncDispose]();
    await page.getByRole('alert').getByText('does not answer').waitFor();
    await line(page, '/one').waitFor();
  });

  it('is no door for other pages: they can neither replay nor read, whatever name they come under', async () => {
    world.inspector.store.clear();
    await world.client.get('/orders');
    const id = world.inspector.store.list()[0]?.id;
    await using evil = await startHttpOrigin((_request, response) =>
      response.setHeader('Content-Type', 'text/html').end(''),
    );
    await using opened = await openPage(browser, `http://evil.test:${evil.port}/`);
    const { page } = opened;
    seen.length = 0;
    const attempts = [
      { path: `api/v1/requests/${id}/replay`, init: { method: 'POST', mode: 'no-cors', body: '{}' } },
      {
        path: `api/v1/requests/${id}/replay`,
        init: { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } },
      },
      { path: 'api/requests/http', init: { method: 'POST', mode: 'no-cors', body: JSON.stringify({ id }) } },
      { path: 'api/v1/requests', init: { method: 'DELETE' } },
      { path: 'api/v1/requests', init: {} },
    ];
    const read = await page.evaluate(
      ([url, all]) =>
        Promise.all(
          all.map(({ path, init }) =>
            fetch(url + path, init as RequestInit).then(
              (response) => response.text(),
              () => 'refused',
            ),
          ),
        ),
      [world.url, attempts] as const,
    );
    // An opaque answer is empty.
    expect(read).toEqual(['', 'refused', '', 'refused', 'refused']);
    expect(seen).toEqual([]);
    expect(world.inspector.store.list()).toHaveLength(1);
    const rebound = await page.goto(`http://evil.test:${world.inspectPort}/api/v1/requests`);
    expect(rebound?.status()).toBe(421);
    expect(await rebound?.text()).not.toContain('/orders');
  });
});
