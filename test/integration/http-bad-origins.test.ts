/** Origins that break the rules of HTTP: never an empty reply, never a clean end, and their connection is not used again. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Origin, onRequestHead, startSocketOrigin } from '../support/origins.ts';
import { type RawEnd, rawClient, requestText } from '../support/raw-client.ts';
import { httpTransports, startTunnelWorld, type TunnelWorld, testHost } from '../support/tunnel-world.ts';

const get = requestText('GET', '/', testHost, ['Accept: application/json', 'Connection: close']);
const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Answers with octets: one piece, or several of which each leaves when the one before has arrived at the client. */
function startScriptedOrigin(pieces: readonly string[]): Promise<Origin> {
  return startSocketOrigin((socket) => {
    onRequestHead(socket, async (head) => {
      if (head.startsWith('GET /good')) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood');
        return;
      }
      for (const piece of pieces) {
        socket.write(piece, 'latin1');
        await pause(100);
      }
    });
  });
}

/** Sends one GET and returns everything that came. */
async function reply(world: TunnelWorld): Promise<{ text: string; end: RawEnd }> {
  using client = await rawClient(world.port, get);
  const end = await client.ended;
  return { text: client.text, end };
}

/** The next exchange takes another connection, and the broken one is closed. */
async function expectNoReuse(world: TunnelWorld, origin: Origin): Promise<void> {
  const before = origin.connections;
  const first = [...origin.open];
  expect((await world.client.get('/good')).text).toBe('good');
  expect(origin.connections).toBe(before + 1);
  await eventually('the broken connection is closed', () => first.every((socket) => socket.readableEnded));
}

describe('an origin with interim responses without an end', () => {
  it.each(httpTransports)('H11 fails that exchange alone, over $name', async ({ transport }) => {
    await using origin = await startSocketOrigin((socket) => {
      onRequestHead(socket, (head) => {
        if (head.startsWith('GET /good')) return void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood');
        const interims = Buffer.from(`HTTP/1.1 103 Early Hints\r\nLink: <${'a'.repeat(400)}>\r\n\r\n`.repeat(100));
        const flood = (): void => {
          while (!socket.destroyed && socket.write(interims));
        };
        socket.on('drain', flood);
        flood();
      });
    });
    await using world = await startTunnelWorld(origin, { transport });
    const [{ text }, good] = await Promise.all([
      reply(world),
      Promise.all(Array.from({ length: 20 }, () => world.client.get('/good'))),
    ]);
    expect(text).toContain('HTTP/1.1 103 Early Hints');
    expect(text).toMatch(/\r\n\r\nHTTP\/1\.1 502 [\s\S]*GIR_ERR_ORIGIN_PROTOCOL/);
    expect(good.map((answer) => answer.text)).toEqual(Array.from({ length: 20 }, () => 'good'));
    expect(world.agent.events.filter(({ type }) => type === 'reconnecting' || type === 'mode')).toEqual([]);
  });
});

const beforeBody = [
  ['a bad chunk size behind the head', [`${chunkedHead}xyz\r\nbody`]],
  ['a bad chunk size, a moment behind the head', [chunkedHead, 'xyz\r\nbody']],
  ['a chunk size beyond all bounds', [`${chunkedHead}fffffffffffffffff\r\n`]],
  ['a stray 101', ['HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nraw']],
  ['a stray 101 behind a 103', ['HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n']],
  ['an over-long head', [`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(400 * 1024)}\r\n\r\n`]],
  ['an over-long head that never ends', [`HTTP/1.1 200 OK\r\n${'X-Line: y\r\n'.repeat(50_000)}`]],
  ['two lengths', ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab']],
  ['a length and chunks', ['HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n']],
  ['a NUL in a field', ['HTTP/1.1 200 OK\r\nX-Bad: a\0b\r\nContent-Length: 0\r\n\r\n']],
  ['a bare CR in a field', ['HTTP/1.1 200 OK\r\nX-Bad: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n']],
  ['no HTTP at all', ['SSH-2.0-OpenSSH_9.6\r\n']],
  ['a TLS alert', ['\x15\x03\x01\x00\x02\x02\x46']],
  ['HTTP/2', ['HTTP/2.0 200 OK\r\n\r\n']],
  ['a status of 999', ['HTTP/1.1 999 Huh\r\nContent-Length: 0\r\n\r\n']],
] as const;

const withinBody = [
  ['a bad chunk size', [`${chunkedHead}4\r\npart\r\n`, 'xyz\r\nbody']],
  ['a bad chunk size in the same packet', [`${chunkedHead}4\r\npart\r\nxyz\r\nbody`]],
  ['a chunk longer than its size', [`${chunkedHead}4\r\npartial\r\n0\r\n\r\n`]],
  ['a chunk with a bare LF', [`${chunkedHead}4\r\npart\n0\r\n\r\n`]],
  ['a stray 101 where a chunk is due', [`${chunkedHead}4\r\npart\r\n`, 'HTTP/1.1 101 Switching\r\n\r\n']],
  ['an over-long trailer section', [`${chunkedHead}4\r\npart\r\n0\r\nX-Long: ${'x'.repeat(400 * 1024)}\r\n\r\n`]],
] as const;

describe.each(httpTransports)('over $name', ({ transport }) => {
  it.each(beforeBody)(
    'hardening 9: %s is a 502 or a visibly broken transfer, never an empty reply',
    async (_n, pieces) => {
      await using origin = await startScriptedOrigin(pieces);
      await using world = await startTunnelWorld(origin, { transport });
      const hasSentHead = pieces.length > 1;

      const { text, end } = await reply(world);

      const final = text.replace(/^(?:HTTP\/1\.1 1[0-9]{2}[\s\S]*?\r\n\r\n)+/, '');
      expect(`${end} ${final.slice(0, 12)}`).toBe(hasSentHead ? 'broken HTTP/1.1 200' : 'fin HTTP/1.1 502');
      expect(final).not.toMatch(/\r\n0\r\n\r\n$/);
      expect(world.edge.edge.stats()[0]).toMatchObject({ requests: 1, responses: 0, errors: 1, inFlight: 0 });
      await expectNoReuse(world, origin);
    },
  );

  it.each(withinBody)('hardening 9: %s behind body octets is never taken for a whole answer', async (_name, pieces) => {
    await using origin = await startScriptedOrigin(pieces);
    await using world = await startTunnelWorld(origin, { transport });

    const { text, end } = await reply(world);

    // Either the failure was known before anything left, or the transfer breaks off.
    expect(`${end} ${text.slice(0, 12)}`).toMatch(
      /^(?:broken HTTP\/1\.1 200|fin HTTP\/1\.1 502|broken HTTP\/1\.1 502)$/,
    );
    expect(text).not.toMatch(/\r\n0\r\n(?:[^\r]*\r\n)*\r\n$/);
    expect(world.edge.edge.stats()[0]).toMatchObject({ requests: 1, responses: 0, errors: 1, inFlight: 0 });
    await expectNoReuse(world, origin);
  });

  it.each([
    [
      'in the same packet',
      ['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbodyHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'],
    ],
    [
      'a moment later',
      ['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'],
    ],
    ['behind chunks', [`${chunkedHead}4\r\nbody\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`]],
    ['behind a 204', ['HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil']],
  ])('hardening 9: octets behind a response, %s, reach nobody', async (_name, pieces) => {
    await using origin = await startScriptedOrigin(pieces);
    await using world = await startTunnelWorld(origin, { transport });

    const answer = await world.client.get('/');
    expect([200, 204]).toContain(answer.status);
    expect(answer.text).toBe(answer.status === 200 ? 'body' : '');
    await eventually('the connection is closed', () => [...origin.open].every((socket) => socket.readableEnded));

    await expectNoReuse(world, origin);
  });

  it('hardening 9: a body behind the answer to HEAD does not become the next answer', async () => {
    await using origin = await startScriptedOrigin(['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil']);
    await using world = await startTunnelWorld(origin, { transport });

    const answer = await world.client.send('HEAD', '/');
    expect(answer.headers['content-length']).toBe('4');
    expect(answer.text).toBe('');

    await expectNoReuse(world, origin);
  });

  it('hardening 9: broken answers under load harm no other exchange', async () => {
    await using origin = await startScriptedOrigin([`${chunkedHead}4\r\npart\r\nxyz`]);
    await using world = await startTunnelWorld(origin, { transport });

    const good: Promise<string>[] = [];
    const bad: Promise<unknown>[] = [];
    for (let index = 0; index < 200; index += 1) {
      good.push(world.client.get(`/good/${index}`).then(({ text }) => text));
      bad.push(reply(world));
    }

    expect(new Set(await Promise.all(good))).toEqual(new Set(['good']));
    await Promise.all(bad);
    expect(world.edge.edge.stats()[0]).toMatchObject({ requests: 400, responses: 200, errors: 200, inFlight: 0 });
  });
});
