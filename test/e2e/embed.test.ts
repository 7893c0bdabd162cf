/** `import { openTunnel, startEdge } from 'giraffe-tunnel'`: in a program of its own, as users have it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type GiraffeEvent, GiraffeHome } from '../support/giraffe-process.ts';
import { root } from '../support/repository.ts';

/** Runs a program that has `giraffe-tunnel` beside it, and returns what it reports; it must print nothing else. */
async function run(code: string): Promise<readonly GiraffeEvent[]> {
  await using home = new GiraffeHome();
  const file = join(home.path, 'program.mjs');
  const start = `
    import { createServer } from 'node:http';
    import { GiraffeError, openTunnel, startEdge } from ${JSON.stringify(join(root, 'dist/embed/index.js'))};
    const report = (event, fields = {}) => console.log(JSON.stringify({ v: 1, event, ...fields }));
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'uncaughtException', 'unhandledRejection'];
    const listeners = () => signals.filter((name) => process.listenerCount(name) > 0);
    const service = createServer((request, response) => response.end('from ' + request.url));
    await new Promise((resolve) => service.listen(0, '127.0.0.1', resolve));
    const target = '127.0.0.1:' + service.address().port;
  `;
  writeFileSync(file, `${start}${code}\nservice.close(); service.closeAllConnections();`);
  const program = home.shell(`exec node ${file}`);
  expect(await program.ended()).toEqual({ code: 0, signal: null });
  expect(program.stderr).toBe('');
  return program.events;
}

describe('the programmatic interface', () => {
  it('opens a tunnel through an edge, tells its events, and lets the program end when both are closed', async () => {
    const events = await run(`
      const edge = await startEdge();
      const tunnel = await openTunnel({ target, server: edge.server, token: edge.token, ca: edge.ca, domain: 'localhost' });
      const off = tunnel.on('request', ({ path, status }) => report('request', { path, status }));
      report('open', { url: tunnel.url, domain: tunnel.domain, mode: tunnel.mode, ports: edge.ports });
      report('answer', { text: await (await fetch(tunnel.url + '/a')).text(), listeners: listeners() });
      off();
      await (await fetch(tunnel.url + '/b')).text();
      await tunnel.close();
      await tunnel.close();
      report('closed', { error: await tunnel.closed ?? null, mode: tunnel.mode ?? null });
      await edge.close();
    `);
    const open = events[0] as GiraffeEvent & { ports: { proxy: number } };
    expect(open).toMatchObject({
      event: 'open',
      url: `http://localhost:${open.ports.proxy}`,
      domain: 'localhost',
      mode: 'hybrid',
    });
    expect(events.slice(1).map(({ v: _, ...fields }) => fields)).toEqual(
      expect.arrayContaining([
        { event: 'request', path: '/a', status: 200 },
        { event: 'answer', text: 'from /a', listeners: [] },
        { event: 'closed', error: null, mode: null },
      ]),
    );
    expect(events.filter(({ event }) => event === 'request')).toHaveLength(1);
  });

  it('rejects with a code and leaves nothing open: wrong options, no edge, a wrong token, an abort', async () => {
    const events = await run(`
      const edge = await startEdge({ config: { server: { limits: { maxConnections: 100 } } } });
      const { server, ca } = edge;
      const fails = (options) => openTunnel({ target, server, ca, token: edge.token, ...options }).then(
        () => report('opened'),
        (error) => report(error instanceof GiraffeError ? error.code : error.name, { message: error.message }),
      );
      await fails({ target: 'ftp://x' });
      await fails({ transport: 'udp' });
      await fails({ server: 'localhost:9', tunnelPort: 9, timeoutMs: 300 });
      await fails({ token: 'grf_' + 'A'.repeat(43) });
      await fails({ ca: 'sha256:' + '0'.repeat(64), timeoutMs: 300 });
      await fails({ server: 'localhost:9', signal: AbortSignal.timeout(200) });
      const soon = new AbortController();
      const opening = fails({ signal: soon.signal });
      soon.abort();
      await opening;
      await fails({ target: 9, domain: 'localhost', waitReady: 'origin', timeoutMs: 300 });
      await startEdge({ config: { server: { portz: 1 } } }).catch(({ code }) => report(code));
      await startEdge({ ports: { proxy: edge.ports.proxy } }).catch(({ code }) => report(code));
      await edge.close();
    `);
    expect(events.map(({ event }) => event)).toEqual([
      'GIR_ERR_USAGE',
      'GIR_ERR_USAGE',
      'GIR_ERR_EDGE_UNREACHABLE',
      'GIR_ERR_CREDENTIALS_REFUSED',
      'GIR_ERR_EDGE_CERTIFICATE',
      'TimeoutError',
      'AbortError',
      'GIR_ERR_NOT_PUBLIC',
      'GIR_ERR_CONFIG',
      'GIR_ERR_LISTEN',
    ]);
  });
});
