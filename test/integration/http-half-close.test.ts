/** Clients that finish sending before they read, as `printf … | nc` does. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Origin, startHttpOrigin } from '../support/origins.ts';
import { rawClient, requestText } from '../support/raw-client.ts';
import { httpTransports, startTunnelWorld, testHost } from '../support/tunnel-world.ts';

/** Answers with the method, the path and the body's length, after the milliseconds that the path names. */
function startEchoOrigin(): Promise<Origin> {
  return startHttpOrigin(async (request, response) => {
    let bytes = 0;
    for await (const chunk of request) bytes += (chunk as Buffer).length;
    await pause(Number(/after=([0-9]+)/.exec(request.url ?? '')?.[1] ?? 0));
    response.end(`${request.method} ${request.url} ${bytes}`);
  });
}

/** Sends text and FIN at once, and returns all that comes until the edge ends. */
async function halfClosed(port: number, text: string): Promise<string> {
  using client = await rawClient(port);
  client.socket.end(text, 'latin1');
  expect(await client.ended).toBe('fin');
  return client.text;
}

describe.each(httpTransports)('over $name', ({ transport }) => {
  it('hardening 10: a client that half-closes after its request gets its answer', async () => {
    await using origin = await startEchoOrigin();
    await using world = await startTunnelWorld(origin, { transport });

    const answer = await halfClosed(world.port, requestText('GET', '/fast', testHost));

    expect(answer).toContain('HTTP/1.1 200 OK\r\n');
    expect(answer).toContain('GET /fast 0');
  });

  it.each([50, 200, 1200])('hardening 10: also when the origin takes %i ms', async (delayMs) => {
    await using origin = await startEchoOrigin();
    await using world = await startTunnelWorld(origin, { transport });

    const answer = await halfClosed(world.port, requestText('GET', `/?after=${delayMs}`, testHost));

    // Nothing but the interim response that looks whether the client is still there may come before.
    expect(answer.replace(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?/, '')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toContain(`GET /?after=${delayMs} 0`);
  });

  it.each([0, 700])(
    'hardening 10: an HTTP/1.0 client gets its answer after %i ms, and no interim one',
    async (delayMs) => {
      await using origin = await startEchoOrigin();
      await using world = await startTunnelWorld(origin, { transport });

      const answer = await halfClosed(world.port, `GET /?after=${delayMs} HTTP/1.0\r\nHost: ${testHost}\r\n\r\n`);

      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(answer).toContain(`GET /?after=${delayMs} 0`);
    },
  );

  it('hardening 10: a request with a body, whole or chunked, is answered', async () => {
    await using origin = await startEchoOrigin();
    await using world = await startTunnelWorld(origin, { transport });

    const sized = requestText('POST', '/?after=300', testHost, ['Content-Length: 5']);
    const chunked = requestText('PUT', '/?after=300', testHost, ['Transfer-Encoding: chunked']);

    expect(await halfClosed(world.port, `${sized}hello`)).toContain('POST /?after=300 5');
    expect(await halfClosed(world.port, `${chunked}3\r\nabc\r\n0\r\n\r\n`)).toContain('PUT /?after=300 3');
  });

  it('hardening 10: a body whose head came slowly is delivered to a half-closed client', async () => {
    await using origin = await startHttpOrigin((_request, response) => {
      response.write('first');
      setTimeout(() => response.end('last'), 500);
    });
    await using world = await startTunnelWorld(origin, { transport });

    const answer = await halfClosed(world.port, requestText('GET', '/', testHost));

    expect(answer).toContain('first');
    expect(answer).toContain('last');
    expect(answer).toMatch(/0\r\n\r\n$/);
  });

  it('hardening 10: a large answer reaches a half-closed client whole', async () => {
    const body = Buffer.alloc(20 * 1024 * 1024, 'y');
    await using origin = await startHttpOrigin((_request, response) => {
      response.setHeader('Content-Length', body.length);
      response.end(body);
    });
    await using world = await startTunnelWorld(origin, { transport });

    using client = await rawClient(world.port, '', { keeps: false });
    client.socket.end(requestText('GET', '/', testHost));
    expect(await client.ended).toBe('fin');

    expect(client.receivedBytes).toBeGreaterThan(body.length);
  });

  it('hardening 10: pipelined requests before the FIN are all answered, in order', async () => {
    await using origin = await startEchoOrigin();
    await using world = await startTunnelWorld(origin, { transport });
    const paths = ['/1?after=100', '/2', '/3?after=50', '/4'];

    const answer = await halfClosed(world.port, paths.map((path) => requestText('GET', path, testHost)).join(''));

    expect([...answer.matchAll(/GET (\/[^ ]+) 0/g)].map(([, path]) => path)).toEqual(paths);
  });

  it('hardening 10: part of a request behind a whole one ends the connection behind the answer', async () => {
    await using origin = await startEchoOrigin();
    await using world = await startTunnelWorld(origin, { transport });

    const answer = await halfClosed(world.port, `${requestText('GET', '/1?after=50', testHost)}GET /2 HTTP/1.1\r\nHo`);

    expect(answer).toContain('GET /1?after=50 0');
    expect(answer).not.toContain('/2');
  });

  it('hardening 10: giraffe’s own refusals reach a half-closed client', async () => {
    await using origin = await startEchoOrigin();
    await using world = await startTunnelWorld(origin, { transport });

    expect(await halfClosed(world.port, requestText('GET', '/', 'unknown.test'))).toContain('GIR_ERR_ENDPOINT_UNKNOWN');
    expect(await halfClosed(world.port, 'GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  });
});
