/** The dashboard's page as an operator uses it, in a real browser, on an edge that runs as a process. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fitsWidth, openPage, startBrowser } from '../support/browser.ts';
import { connectForgedTls, helloFrame } from '../support/forged-carrier.ts';
import { GiraffeHome, type RunningEdge } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { ManagementApi } from '../support/management-api.ts';
import { type Origin, startHttpOrigin } from '../support/origins.ts';
import { hasPrograms } from '../support/programs.ts';

describe.skipIf(!hasPrograms('chromium'))('the page of the dashboard', () => {
  let browser: Browser;
  let home: GiraffeHome;
  let origin: Origin;
  let edge: RunningEdge;
  let api: ManagementApi;

  beforeAll(async () => {
    home = new GiraffeHome();
    origin = await startHttpOrigin((_request, response) => response.end('hello'));
    [browser, edge] = await Promise.all([startBrowser(), home.startEdge()]);
    api = new ManagementApi(edge.ports.api, home.stateDir);
  });

  afterAll(async () => {
    await browser?.close();
    await home?.[Symbol.asyncDispose]();
    await origin?.[Symbol.asyncDispose]();
  });

  async function signIn(page: Page, token = api.token): Promise<void> {
    await page.getByLabel('Admin token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  it('shows nothing before the admin token is given, refuses another one, and forgets it with the tab', async () => {
    await using opened = await openPage(browser, `${api.url}/`);
    const { page, origins } = opened;
    await signIn(page, 'gra_wrong');
    await page.getByRole('alert').getByText('not the admin token').waitFor();
    await signIn(page);
    await page.getByRole('heading', { name: 'Tunnels' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Tunnels' }).waitFor();
    expect(await page.context().cookies()).toEqual([]);
    expect([...origins]).toEqual([api.url]);
    await using other = await openPage(browser, `${api.url}/`);
    await other.page.getByLabel('Admin token').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Admin token').waitFor();
    await page.reload();
    await page.getByLabel('Admin token').waitFor();
  });

  it('shows tunnels, figures and events as they come, and disconnects an agent', async () => {
    await using opened = await openPage(browser, `${api.url}/`);
    const { page, errors } = opened;
    await signIn(page);
    await page.getByText('No agent has opened a tunnel yet').waitFor();
    const agent = await home.startAgent(edge, origin.port, ['--domain', 'shop.localhost', '--label', 'region=eu']);
    const row = page.getByRole('row', { name: /shop\.localhost/ }).first();
    await row.getByText('hybrid').waitFor();
    await page.getByRole('cell', { name: 'region=eu' }).waitFor();
    using client = new HttpClient(edge.ports.proxy, 'shop.localhost');
    await client.get('/hello/there?token=secret');
    await page
      .getByRole('list', { name: /Events/ })
      .getByText('shop.localhost/hello/there')
      .waitFor();
    await row.getByRole('cell', { name: '1', exact: true }).waitFor();
    await row.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
    await row.getByText('no agent').waitFor();
    expect(await agent.ended()).toMatchObject({ code: 1 });
    await page.getByText('shop.localhost ended: GIR_ERR_DISCONNECTED').waitFor();
    expect(errors).toEqual([]);
  });

  it('S3 disconnects one endpoint of an agent, which serves its other ones on', async () => {
    await using opened = await openPage(browser, `${api.url}/`);
    const { page } = opened;
    await signIn(page);
    const tunnels = `{ one: { domain: one.localhost, target: ${origin.port} }, two: { domain: two.localhost, target: ${origin.port} } }`;
    writeFileSync(join(home.path, 'several.yaml'), `tunnels: ${tunnels}\n`);
    const server = `localhost:${edge.ports.grpc}`;
    const agent = home.run(['tunnel', '--config', 'several.yaml', '--server', server, '--json', '--inspect-port=0']);
    const button = page.getByRole('button', { name: 'Disconnect one.localhost' });
    await button.click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('It takes no more requests until its agent is started again.', { exact: true }).waitFor();
    await dialog.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('one.localhost disconnected from 1 agent').waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByText('one.localhost ended: GIR_ERR_DISCONNECTED; its agent goes on with two.localhost').waitFor();
    // Nobody ever asked for it, so it has no figures to be shown without an agent.
    await page.getByRole('button', { name: 'Disconnect one.localhost' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Disconnect two.localhost' }).waitFor();
    await agent.end('SIGTERM');
  });

  it('S3 says what else ends with an endpoint of an agent of an older release', async () => {
    await using opened = await openPage(browser, `${api.url}/`);
    const { page } = opened;
    await signIn(page);
    const token = readFileSync(join(home.stateDir, 'agent-token'), 'utf8').trim();
    using carrier = await connectForgedTls(edge.ports.tunnel, { rejectUnauthorized: false });
    carrier.send(helloFrame({ token, endpoints: ['three.localhost', 'four.localhost'] }));
    await page.getByRole('button', { name: 'Disconnect three.localhost' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('which ends as a whole, with four.localhost.').waitFor();
    await dialog.getByRole('button', { name: 'Disconnect' }).click();
    expect(await carrier.goAwayCode()).toBe('GIR_ERR_DISCONNECTED');
    await page.getByRole('button', { name: 'Disconnect four.localhost' }).waitFor({ state: 'detached' });
  });

  it('makes a token that is shown once and works, and revokes it', async () => {
    await using opened = await openPage(browser, `${api.url}/`);
    const { page } = opened;
    await signIn(page);
    await page.getByRole('button', { name: 'New token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('ci');
    await dialog.getByLabel('Endpoints it may serve').fill('no pattern!');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Endpoints it may serve').fill('ci.localhost');
    await dialog.getByLabel('Ends').selectOption('after 7 days');
    await dialog.getByRole('button', { name: 'Create' }).click();
    const secret = await page.locator('.secret').textContent();
    const env = { GIRAFFE_TOKEN: secret ?? '' };
    const agent = await home.startAgent(edge, origin.port, ['--domain', 'ci.localhost'], { env });
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await page.content()).not.toContain(secret);
    // Who looks at an agent finds the token to revoke.
    const agents = page.getByRole('region', { name: 'Agents' });
    const principal = await agents
      .getByRole('row')
      .filter({ hasText: 'ci.localhost' })
      .getByRole('rowheader')
      .innerText();
    const tokens = page.getByRole('region', { name: 'Tokens' });
    await tokens
      .getByRole('row', { name: /^ci / })
      .getByText(principal.replace('tokens:', ''), { exact: true })
      .waitFor();
    await page.getByRole('button', { name: /^Revoke ci,/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('ci is revoked').waitFor();
    expect(await agent.ended()).toMatchObject({ code: 7 });
    await page.getByRole('button', { name: /^Revoke ci,/ }).waitFor({ state: 'detached' });
  });

  it('does not take tokens that it could not read for none, and reads them when the edge is back', async () => {
    await using opened = await openPage(browser, `${api.url}/`);
    const { page } = opened;
    await signIn(page);
    await page.getByRole('rowheader', { name: 'first' }).waitFor();
    await page.route('**/api/v1/**', (route) => route.abort());
    await page.reload();
    await page.getByRole('alert').getByText('does not answer').waitFor();
    expect(await page.getByText('There are no tokens.').count()).toBe(0);
    await page.unroute('**/api/v1/**');
    await page.getByRole('rowheader', { name: 'first' }).waitFor();
  });

  it('fits a phone and is dark where the system is', async () => {
    const phone = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' } as const;
    await using opened = await openPage(browser, `${api.url}/`, phone);
    const { page } = opened;
    expect(await fitsWidth(page)).toBe(true);
    await signIn(page);
    await page.getByRole('heading', { name: 'Live events' }).waitFor();
    expect(await fitsWidth(page)).toBe(true);
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(18, 16, 13)');
    const long = `${'n'.repeat(60)}.example.com`;
    await page.route('**/api/v1/tunnels', async (route) => {
      const response = await route.fetch();
      const agent = {
        sessionId: 's',
        agentId: 'a',
        domains: [long],
        principal: `jwt:${'p'.repeat(90)}`,
        peers: [long],
      };
      const rest = {
        openedAt: '2026-01-01T00:00:00Z',
        labels: [`l=${'m'.repeat(60)}`],
        weight: 1,
        inFlight: 0,
        canWithdraw: true,
      };
      const figures = {
        requests: 0,
        errors: 0,
        inFlight: 0,
        latency: {},
        recent: {},
        requestBytes: 0,
        responseBytes: 0,
      };
      const tunnels = [{ domain: long, sessions: 1, ...figures, agents: [{ ...agent, ...rest }] }];
      await route.fulfill({ response, json: { tunnels } });
    });
    await page.getByRole('rowheader', { name: long }).waitFor();
    expect(await fitsWidth(page)).toBe(true);
  });

  it('has a failure page beside it whose way of a request stands in one line, on a small phone too', async () => {
    const phone = { viewport: { width: 320, height: 640 } } as const;
    await using opened = await openPage(browser, `http://127.0.0.1:${edge.ports.proxy}/`, phone);
    const { page } = opened;
    const tops: number[] = await page.evaluate('[...document.querySelectorAll("li")].map((side) => side.offsetTop)');
    expect(tops).toHaveLength(5);
    expect(new Set(tops).size).toBe(1);
    expect(await fitsWidth(page)).toBe(true);
  });

  it('drains the edge, which then ends', async () => {
    await using own = new GiraffeHome();
    const other = await own.startEdge();
    const management = new ManagementApi(other.ports.api, own.stateDir);
    await using opened = await openPage(browser, `${management.url}/`);
    const { page } = opened;
    await signIn(page, management.token);
    // A key, other than a click, does not wait for a button that can be pressed.
    await page.getByRole('button', { name: 'Drain', disabled: false }).press('Enter');
    // Whoever holds the key down has not drained the edge by it.
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Cancel');
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    expect(await other.process.ended()).toMatchObject({ code: 0 });
    await page.getByRole('alert').getByText('does not answer').waitFor();
  });

  it('comes with a policy that lets nothing in from elsewhere', async () => {
    const response = await fetch(`${api.url}/`);
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect((await fetch(`${api.url}/assets/..%2f..%2fpackage.json`)).status).toBe(404);
  });
});
