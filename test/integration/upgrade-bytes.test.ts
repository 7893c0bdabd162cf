/** W1, W3, W4: what an upgraded connection carries, octet for octet, and how its ends finish. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { TransportChoice } from '../../src/agent/agent-options.ts';
import { eventually } from '../support/eventually.ts';
import { connectPeer } from '../support/raw-http.ts';
import type { RawReader } from '../support/raw-reader.ts';
import { heldBytes } from '../support/resources.ts';
import { sha256 } from '../support/sha256.ts';
import {
  echo,
  openUpgrade,
  type RawOrigin,
  startRawOrigin,
  switching,
  upgradeHead,
} from '../support/upgrade-sockets.ts';
import { startTestAgent, startTestEdge, type TestAgent, type TestEdge } from '../support/world.ts';

interface World extends AsyncDisposable {
  readonly server: TestEdge;
  readonly agent: TestAgent;
  readonly origin: RawOrigin;
  readonly port: number;
}

type Serve = (reader: RawReader, head: string) => void | Promise<void>;

/** A tunnel `app.test` to a raw origin. */
async function startUpgradeWorld(transport: TransportChoice, serve: Serve): Promise<World> {
  const origin = await startRawOrigin(serve);
  const server = await startTestEdge();
  const agent = await startTestAgent(server.edge.ports, 'app.test', origin.url, { transport });
  return {
    origin,
    server,
    agent,
    port: server.edge.ports.proxy,
    [Symbol.asyncDispose]: async () => {
      await agent[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

async function nothingInFlight({ server }: World): Promise<void> {
  await eventually('nothing is in flight', () => server.edge.stats()[0]?.inFlight === 0);
}

async function originIsLeft({ origin }: World): Promise<void> {
  await eventually('no connection to the origin is open', () => origin.open === 0);
}

describe.each([
  { name: 'TCP (hybrid)', transport: 'auto', transports: { grpc: 0, tcp: 1, upgrades: 1 } },
  { name: 'gRPC, where TCP cannot be had', transport: 'grpc', transports: { grpc: 1, tcp: 0, upgrades: 1 } },
] as const)('over $name', ({ transport, transports }) => {
  const startWorld = (serve: Serve): Promise<World> => startUpgradeWorld(transport, serve);

  describe('around the 101', () => {
    it('W1 what the server writes together with its 101 arrives, in order and once', async () => {
      await using world = await startWorld((reader) => {
        reader.socket.write(`${switching}first frame`);
        reader.socket.pipe(reader.socket);
      });
      using client = await openUpgrade(world.port);
      expect(client.head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
      client.socket.write(' and an echo');
      expect((await client.reader.exactly(23)).toString()).toBe('first frame and an echo');
    });

    it('W1 what the client writes together with its request arrives, in order and once', async () => {
      await using world = await startWorld(echo);
      using client = await openUpgrade(world.port, { firstBytes: 'early octets' });
      client.socket.write(', then later ones');
      expect((await client.reader.exactly(29)).toString()).toBe('early octets, then later ones');
    });

    it('W1 256 KiB sent right behind the request, before its answer, arrive whole', async () => {
      await using world = await startWorld(echo);
      const early = randomBytes(256 * 1024);
      const reader = await connectPeer(world.port);
      reader.socket.write(upgradeHead());
      reader.socket.write(early);
      await reader.through('\r\n\r\n');
      expect(sha256(await reader.exactly(early.length))).toBe(sha256(early));
      reader.socket.destroy();
    });

    it('W1 a server that sends 1 MiB with its 101 and finishes at once loses none of it', async () => {
      const sent = randomBytes(1024 * 1024);
      await using world = await startWorld(({ socket }) => {
        socket.end(Buffer.concat([Buffer.from(switching), sent]));
      });
      using client = await openUpgrade(world.port);
      expect(sha256(await client.reader.toEnd())).toBe(sha256(sent));
    });

    it('W1 a client that finishes in the same write as its request still gets everything', async () => {
      await using world = await startWorld(async (reader) => {
        reader.socket.write(switching);
        const question = await reader.toEnd();
        reader.socket.end(`you said: ${question.toString()}`);
      });
      const reader = await connectPeer(world.port);
      reader.socket.end(`${upgradeHead()}all I have`);
      await reader.through('101 Switching Protocols');
      await reader.through('\r\n\r\n');
      expect((await reader.toEnd()).toString()).toBe('you said: all I have');
    });

    it('W1 a 101 that arrives octet for octet is read like any other', async () => {
      await using world = await startWorld(async ({ socket }) => {
        for (const octet of `${switching}after`) {
          socket.write(octet);
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      using client = await openUpgrade(world.port);
      expect((await client.reader.exactly(5)).toString()).toBe('after');
    });

    it('W1 the origin gets exactly one Upgrade, one Connection, and the client its own choice', async () => {
      let seen = '';
      await using world = await startWorld((reader, head) => {
        seen = head;
        echo(reader);
      });
      using client = await openUpgrade(world.port);
      expect(seen.match(/^Upgrade: echo\r$/gim)).toHaveLength(1);
      expect(seen.match(/^Connection: Upgrade\r$/gim)).toHaveLength(1);
      expect(client.head.match(/^Upgrade: echo\r$/gim)).toHaveLength(1);
      expect(client.head.match(/^Connection: Upgrade\r$/gim)).toHaveLength(1);
    });
  });

  describe('any path, any protocol', () => {
    it('W3 an upgrade under /static/ is spliced like any other', async () => {
      await using world = await startWorld(echo);
      using client = await openUpgrade(world.port, { path: '/static/live.js' });
      client.socket.end('hello');
      expect((await client.reader.toEnd()).toString()).toBe('hello');
      await nothingInFlight(world);
      expect(world.server.edge.stats()[0]?.transports).toEqual(transports);
    });

    it.each(['mqtt', 'SSH-2.0', 'tailscale-control-protocol', 'foo/2, bar'])(
      'W3 Upgrade: %s is spliced too',
      async (protocol) => {
        let seen = '';
        const [chosen] = protocol.split(',');
        await using world = await startWorld(({ socket }, head) => {
          seen = head;
          socket.write(`HTTP/1.1 101 Fine\r\nConnection: upgrade\r\nUpgrade: ${chosen}\r\nX-Own: 1\r\n\r\n`);
          socket.pipe(socket);
        });
        using client = await openUpgrade(world.port, { protocol });
        expect(seen).toContain(`\r\nUpgrade: ${protocol}\r\n`);
        expect(client.head).toMatch(/^HTTP\/1\.1 101 Fine\r\n/);
        expect(client.head).toContain(`\r\nUpgrade: ${chosen}\r\n`);
        expect(client.head).toContain('\r\nX-Own: 1\r\n');
        const octets = Buffer.from([0, 1, 2, 13, 10, 13, 10, 255, 254, 128]);
        client.socket.write(octets);
        expect(await client.reader.exactly(octets.length)).toEqual(octets);
      },
    );

    it.each([
      [
        '401 with a length',
        'HTTP/1.1 401 No Entry\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 6\r\n\r\nsecret',
        'secret',
      ],
      [
        '403 in chunks',
        'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnay\r\n0\r\n\r\n',
        '3\r\nnay\r\n0\r\n\r\n',
      ],
      ['200 that ignores the upgrade', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage', 'page'],
    ])('W3 %s arrives as it is and the connection serves on', async (_name, answer, body) => {
      await using world = await startWorld(async (reader, head) => {
        let next = head;
        for (;;) {
          const isUpgrade = next.includes('Upgrade: echo');
          reader.socket.write(isUpgrade ? answer : 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain');
          next = await reader.through('\r\n\r\n');
        }
      });
      const client = await openUpgrade(world.port);
      const statusLine = answer.slice(0, answer.indexOf('\r\n') + 2);
      expect(client.head.startsWith(statusLine)).toBe(true);
      expect(client.head).not.toMatch(/^connection: close/im);
      expect((await client.reader.exactly(body.length)).toString()).toBe(body);
      client.socket.write('GET /next HTTP/1.1\r\nHost: app.test\r\n\r\n');
      expect(await client.reader.through('plain')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      client.socket.write(upgradeHead());
      expect((await client.reader.through('\r\n\r\n')).startsWith(statusLine)).toBe(true);
      client.socket.destroy();
    });

    it('W3 a refusal answered behind pipelined octets does not lose the next request', async () => {
      await using world = await startWorld((reader, head) => {
        const isUpgrade = head.includes('Upgrade: echo');
        reader.socket.end(
          isUpgrade ? 'HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n' : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
        );
      });
      using client = await openUpgrade(world.port, { firstBytes: 'GET /second HTTP/1.1\r\nHost: app.test\r\n\r\n' });
      expect(client.head).toMatch(/^HTTP\/1\.1 401 No\r\n/);
      expect(await client.reader.through('ok')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    });

    it('W3 426 keeps the Upgrade field that says what would be accepted (RFC 9110 15.5.22)', async () => {
      await using world = await startWorld(({ socket }) => {
        socket.end(
          'HTTP/1.1 426 Upgrade Required\r\nUpgrade: other/3\r\nConnection: Upgrade\r\nContent-Length: 3\r\n\r\nno!',
        );
      });
      using client = await openUpgrade(world.port);
      expect(client.head).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
      expect(client.head).toMatch(/^Upgrade: other\/3\r$/im);
      expect((await client.reader.exactly(3)).toString()).toBe('no!');
    });

    it('W3 an origin that cannot be reached is a 502, and one that switches unasked as well', async () => {
      await using world = await startWorld(({ socket }) => {
        socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: something-else\r\n\r\n');
      });
      using unasked = await openUpgrade(world.port);
      expect(unasked.head).toMatch(/^HTTP\/1\.1 502 /);
      await world.origin[Symbol.asyncDispose]();
      using unreachable = await openUpgrade(world.port);
      expect(unreachable.head).toMatch(/^HTTP\/1\.1 502 /);
    });
  });

  describe('ends', () => {
    it('W4 a client that finishes still hears the server, until that finishes too', async () => {
      await using world = await startWorld(async (reader) => {
        reader.socket.write(switching);
        const all = await reader.toEnd();
        for (let piece = 0; piece < 20; piece += 1) reader.socket.write(`${sha256(all)}\n`);
        reader.socket.end();
      });
      using client = await openUpgrade(world.port);
      const sent = randomBytes(3 * 1024 * 1024);
      client.socket.end(sent);
      expect((await client.reader.toEnd()).toString()).toBe(`${sha256(sent)}\n`.repeat(20));
      await nothingInFlight(world);
      await originIsLeft(world);
    });

    it('W4 a server that finishes still hears the client, until that finishes too', async () => {
      let heard: Promise<Buffer> | undefined;
      await using world = await startWorld((reader) => {
        reader.socket.end(`${switching}that is all from me`);
        heard = reader.toEnd();
      });
      using client = await openUpgrade(world.port);
      expect((await client.reader.toEnd()).toString()).toBe('that is all from me');
      const sent = randomBytes(3 * 1024 * 1024);
      client.socket.end(sent);
      expect(sha256((await heard) ?? Buffer.alloc(0))).toBe(sha256(sent));
      await client.reader.closed;
      await originIsLeft(world);
    });

    it('W4 a server that says its last and closes for good: a client that reads late hears all of it', async () => {
      const last = randomBytes(8 * 1024 * 1024);
      await using world = await startWorld(({ socket }) => {
        socket.write(switching);
        socket.once('data', () => socket.end(last, () => socket.destroySoon()));
      });
      using client = await openUpgrade(world.port);
      client.socket.write('go');
      client.socket.pause();
      await eventually('the windows are full', () => (world.origin.sockets[0]?.bytesWritten ?? 0) > last.length / 8);
      client.socket.resume();
      expect(sha256(await client.reader.toEnd())).toBe(sha256(last));
    });

    it('W4 a broken client breaks the origin: what it sent does not look whole', async () => {
      const readers: RawReader[] = [];
      await using world = await startWorld((reader) => {
        readers.push(reader);
        reader.socket.write(switching);
      });
      using client = await openUpgrade(world.port);
      client.socket.resetAndDestroy();
      await originIsLeft(world);
      expect(readers[0]?.error).toMatchObject({ code: 'ECONNRESET' });
      expect(readers[0]?.hasFin).toBe(false);
    });

    it('W4 a broken origin breaks the client: what it sent does not look whole', async () => {
      await using world = await startWorld(echo);
      using client = await openUpgrade(world.port);
      world.origin.sockets[0]?.resetAndDestroy();
      await client.reader.closed;
      expect(client.reader.error).toMatchObject({ code: 'ECONNRESET' });
      expect(client.reader.hasFin).toBe(false);
      await nothingInFlight(world);
    });
  });

  describe('backpressure', () => {
    /** Far more than all windows and socket buffers on the way hold. */
    const flood = 192 * 1024 * 1024;
    const piece = Buffer.alloc(64 * 1024, 'x');

    /** Writes for as long as the socket takes it; returns how much that was after it stood still. */
    async function stuffed(socket: import('node:net').Socket): Promise<number> {
      let sentBytes = 0;
      let stillSinceMs = performance.now();
      let isFree = true;
      socket.on('drain', () => {
        isFree = true;
      });
      while (sentBytes < flood && performance.now() - stillSinceMs < 600) {
        if (isFree) {
          isFree = socket.write(piece);
          sentBytes += piece.length;
          stillSinceMs = performance.now();
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      return sentBytes;
    }

    it('W4 a client that stops reading stops the server, memory stays flat, the other relays go on', async () => {
      await using world = await startWorld((reader, head) => {
        if (!head.includes('/flood')) return echo(reader);
        reader.socket.write(switching);
      });
      using other = await openUpgrade(world.port);
      using stalled = await openUpgrade(world.port, { path: '/flood' });
      stalled.socket.pause();
      const before = heldBytes();
      const sent = await stuffed(world.origin.sockets.at(-1) ?? expect.fail('no origin socket'));
      expect(sent).toBeLessThan(flood / 4);
      expect(heldBytes() - before).toBeLessThan(50 * 1024 * 1024);
      other.socket.write('ping');
      expect((await other.reader.exactly(4)).toString()).toBe('ping');
      stalled.socket.resume();
      expect((await stalled.reader.exactly(sent)).every((octet) => octet === 0x78)).toBe(true);
    });

    it('W4 a server that stops reading stops the client, and goes on where it stopped', async () => {
      await using world = await startWorld((reader, head) => {
        if (!head.includes('/flood')) return echo(reader);
        reader.socket.write(switching);
        reader.socket.pause();
      });
      using other = await openUpgrade(world.port);
      using sender = await openUpgrade(world.port, { path: '/flood' });
      const sent = await stuffed(sender.socket);
      expect(sent).toBeLessThan(flood / 4);
      other.socket.write('ping');
      expect((await other.reader.exactly(4)).toString()).toBe('ping');
      const stalled = world.origin.sockets.at(-1) ?? expect.fail('no origin socket');
      let receivedBytes = 0;
      stalled.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length;
      });
      stalled.resume();
      sender.socket.end();
      await once(stalled, 'end');
      expect(receivedBytes).toBe(sent);
    });

    it('W4 the stalled one can leave: its relay ends at the origin although nobody reads', async () => {
      await using world = await startWorld(({ socket }) => {
        socket.write(switching);
      });
      using stalled = await openUpgrade(world.port, { path: '/flood' });
      stalled.socket.pause();
      const origin = world.origin.sockets[0] ?? expect.fail('no origin socket');
      await stuffed(origin);
      stalled.socket.resetAndDestroy();
      await originIsLeft(world);
    });
  });
});
