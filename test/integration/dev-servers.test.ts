/** Dev servers behind a tunnel: those that refuse foreign hosts, Vite with hot module replacement, socket.io. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Server as SocketServer } from 'socket.io';
import { io } from 'socket.io-client';
import { createServer as createViteServer } from 'vite';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { hasPrograms } from '../support/programs.ts';
import { startTestAgent, startTestEdge } from '../support/world.ts';

const domain = 'app.localhost';

describe('--host-header auto', () => {
  it('gives an origin that refuses the name of the endpoint its own, and translates its redirects and cookies', async () => {
    await using edge = await startTestEdge();
    await using origin = await startHttpOrigin((request, response) => {
      if (!/^localhost:/.test(request.headers.host ?? '')) return void response.writeHead(403).end('Blocked request.');
      const own = `http://${request.headers.host}`;
      response.writeHead(302, { Location: `${own}/login`, 'Set-Cookie': 'id=1; Domain=localhost; Path=/' }).end();
    });
    const options = { hostHeader: 'auto' as const };
    await using _agent = await startTestAgent(edge.edge.ports, domain, `localhost:${origin.port}`, options);
    using client = new HttpClient(edge.edge.ports.proxy, `${domain}:8081`);
    await eventually('the origin is understood', async () => (await client.get('/')).status === 302);
    const { headers } = await client.get('/');
    expect(headers.location).toBe(`http://${domain}:8081/login`);
    expect(headers['set-cookie']).toEqual(['id=1; Path=/']);
  });

  it('leaves the name of the endpoint to an origin that takes it, and to one that refuses both', async () => {
    await using edge = await startTestEdge();
    const hosts: string[] = [];
    await using origin = await startHttpOrigin((request, response) => {
      hosts.push(request.headers.host ?? '');
      response.writeHead(request.url === '/' ? 200 : 403).end();
    });
    await using refusing = await startHttpOrigin((request, response) => {
      hosts.push(request.headers.host ?? '');
      response.writeHead(403).end();
    });
    for (const { target, port } of [origin, refusing]) {
      hosts.length = 0;
      await using _agent = await startTestAgent(edge.edge.ports, domain, target, { hostHeader: 'auto' });
      using client = new HttpClient(edge.edge.ports.proxy, domain);
      await eventually('the agent has looked', () => hosts.includes(domain) && hosts.includes(`127.0.0.1:${port}`));
      hosts.length = 0;
      await client.get('/secret');
      await client.get('/secret');
      expect(hosts).toEqual([domain, domain]);
    }
  });

  it('looks again when the origin comes back as another one', async () => {
    await using edge = await startTestEdge();
    const open = await startHttpOrigin((_request, response) => response.end('any host'));
    await using agent = await startTestAgent(edge.edge.ports, domain, `localhost:${open.port}`, { hostHeader: 'auto' });
    using client = new HttpClient(edge.edge.ports.proxy, domain);
    expect((await client.get('/')).text).toBe('any host');
    await open[Symbol.asyncDispose]();
    await eventually('it is gone', async () => (await client.get('/')).status === 502);
    await using _strict = await startHttpOrigin((request, response) => {
      response.writeHead(/^localhost:/.test(request.headers.host ?? '') ? 200 : 403).end('own host');
    }, open.port);
    await eventually('it is understood', async () => (await client.get('/')).status === 200);
    expect(agent.events.some(({ type }) => type === 'origin')).toBe(true);
  });
});

describe('socket.io', () => {
  it('P4 polls, then upgrades to a WebSocket', async () => {
    await using edge = await startTestEdge();
    const http = createHttpServer();
    const server = new SocketServer(http);
    server.on('connection', (socket) => socket.on('ask', (text: string, answer) => answer(text.toUpperCase())));
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const target = `127.0.0.1:${(http.address() as AddressInfo).port}`;
    // A name that every resolver knows, for the client sets Host by itself.
    await using _agent = await startTestAgent(edge.edge.ports, 'localhost', target);
    const client = io(`http://localhost:${edge.edge.ports.proxy}`, { reconnection: false });
    try {
      await new Promise<void>((resolve, reject) => client.on('connect', resolve).on('connect_error', reject));
      expect(client.io.engine.transport.name).toBe('polling');
      expect(await client.emitWithAck('ask', 'polled')).toBe('POLLED');
      if (client.io.engine.transport.name !== 'websocket') {
        await new Promise((resolve) => client.io.engine.once('upgrade', resolve));
      }
      expect(client.io.engine.transport.name).toBe('websocket');
      expect(await client.emitWithAck('ask', 'upgraded')).toBe('UPGRADED');
    } finally {
      client.close();
      await server.close();
    }
  });
});

describe.skipIf(!hasPrograms('chromium'))('Vite', () => {
  it('shows its page and replaces modules in a browser, through the tunnel', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'giraffe-vite-'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><p id=p></p><script type=module src=/main.js></script>');
    writeFileSync(join(folder, 'main.js'), mainModule);
    writeFileSync(join(folder, 'text.js'), "export const text = 'before';");
    await using edge = await startTestEdge();
    const vite = await createViteServer({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      server: { host: '127.0.0.1', port: 0, strictPort: false },
      cacheDir: join(folder, '.vite'),
    });
    await vite.listen();
    const port = (vite.httpServer?.address() as AddressInfo | null)?.port;
    const publicName = 'app.example.test';
    await using _agent = await startTestAgent(edge.edge.ports, publicName, `127.0.0.1:${port}`, { hostHeader: 'auto' });
    const rules = `--host-resolver-rules=MAP ${publicName} 127.0.0.1`;
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', rules] });
    try {
      using client = new HttpClient(edge.edge.ports.proxy, publicName);
      await eventually('Vite takes the host', async () => (await client.get('/')).status === 200);
      const page = await browser.newPage();
      await page.goto(`http://${publicName}:${edge.edge.ports.proxy}/`);
      await page.waitForSelector('text=before');
      // A reload would lose it: only a replaced module keeps it.
      await page.evaluate("document.body.setAttribute('data-kept', 'yes')");
      writeFileSync(join(folder, 'text.js'), "export const text = 'after';");
      await page.waitForSelector('text=after');
      expect(await page.getAttribute('body', 'data-kept')).toBe('yes');
    } finally {
      await browser.close();
      await vite.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** Puts the text of a module on the page, and takes another one without a reload. */
const mainModule = `
import { text } from './text.js';
const show = (text) => { document.getElementById('p').textContent = text; };
show(text);
import.meta.hot.accept('./text.js', (module) => show(module.text));
`;
