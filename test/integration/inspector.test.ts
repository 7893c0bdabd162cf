import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { summaryOf } from '../../src/inspector/view-of-record.ts';
import { eventually } from '../support/eventually.ts';
import { startInspectedWorld } from '../support/inspected-world.ts';
import { startHttpOrigin } from '../support/origins.ts';

const mebibyte = 1024 * 1024;

describe('a tunnel whose agent records what passes', () => {
  it('delivers server-sent events one by one, and shows them while the stream is open', async () => {
    let next = (): void => {};
    await using origin = await startHttpOrigin((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      let count = 0;
      next = () => response.write(`data: ${count++}\n\n`);
      next();
    });
    await using world = await startInspectedWorld(origin);
    const { outgoing, answer } = world.client.open('GET', '/events');
    outgoing.end();
    const response = await answer;
    // The origin writes one only when the client has the one before.
    for (let count = 0; count < 50; count += 1) {
      const chunk = await new Promise<Buffer>((resolve) => response.once('data', resolve));
      response.pause();
      expect(chunk.toString()).toBe(`data: ${count}\n\n`);
      next();
      response.resume();
    }
    const [record] = world.inspector.store.list();
    expect(record).toMatchObject({ isLive: true, response: { status: 200 } });
    expect(record?.responseBody?.bytes.toString()).toContain('data: 49\n\n');
    outgoing.destroy();
    await eventually('the exchange is over', () => record?.isLive === false);
    expect(record?.error?.code).toBe('GIR_ERR_CANCELLED');
  });

  it('passes 128 MiB each way whole, and keeps no more of it than its bound', async () => {
    const piece = Buffer.alloc(mebibyte, 'giraffe ');
    await using origin = await startHttpOrigin(async (request, response) => {
      const received = createHash('sha256');
      for await (const chunk of request) received.update(chunk as Buffer);
      response.setHeader('X-Received', received.digest('hex'));
      for (let sent = 0; sent < 128; sent += 1) {
        if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
      }
      response.end();
    });
    const whole = createHash('sha256');
    for (let sent = 0; sent < 128; sent += 1) whole.update(piece);
    const expected = whole.digest('hex');
    await using world = await startInspectedWorld(origin);
    const { outgoing, answer } = world.client.open('POST', '/large');
    for (let sent = 0; sent < 128; sent += 1) {
      if (!outgoing.write(piece)) await new Promise((resolve) => outgoing.once('drain', resolve));
    }
    outgoing.end();
    const response = await answer;
    const received = createHash('sha256');
    for await (const chunk of response) received.update(chunk as Buffer);
    expect([response.headers['x-received'], received.digest('hex')]).toEqual([expected, expected]);
    const [record] = world.inspector.store.list();
    for (const body of [record?.requestBody, record?.responseBody]) {
      expect(body).toMatchObject({ totalBytes: 128 * mebibyte, isTruncated: true });
      expect(body?.bytes).toHaveLength(256 * 1024);
    }
    expect(world.inspector.store.heldBytes).toBeLessThan(mebibyte);
  });

  it('sends a recorded request to the origin again, on its own', async () => {
    const seen: string[] = [];
    await using origin = await startHttpOrigin(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      seen.push(`${request.method} ${request.url} ${request.headers['x-a'] ?? ''} ${body}`);
      response.end('done');
    });
    await using world = await startInspectedWorld(origin);
    await world.client.send('POST', '/hook', 'body', { headers: { 'X-A': 'a' } });
    const [first] = world.inspector.store.list();
    const id = world.inspector.replay(first?.id ?? '', {});
    const replayed = world.inspector.store.get(id);
    await eventually('the replay is over', () => replayed?.isLive === false);
    expect(seen).toEqual(['POST /hook a body', 'POST /hook a body']);
    expect(replayed).toMatchObject({ error: undefined, beginning: { carrier: 'local', replayOf: first?.id } });
    expect(replayed?.responseBody?.bytes.toString()).toBe('done');
  });

  it('records why an exchange failed', async () => {
    await using origin = await startHttpOrigin((_request, response) => response.socket?.destroy());
    await using world = await startInspectedWorld(origin);
    expect((await world.client.get('/broken')).status).toBe(502);
    const [record] = world.inspector.store.list();
    expect(record).toMatchObject({ isLive: false, response: undefined, error: { code: 'GIR_ERR_ORIGIN_CLOSED' } });
    expect(record && summaryOf(record)).toMatchObject({ code: 'GIR_ERR_ORIGIN_CLOSED', failureStatus: 502 });
  });
});
