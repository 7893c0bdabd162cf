/** S5: clients that take their time, in every direction: they are bounded, told why, and cost nobody else anything. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type AttackWorld, startAttackWorld } from '../support/attack-world.ts';
import { eventually } from '../support/eventually.ts';
import { converse, type RawClient, statuses } from '../support/raw-client.ts';
import type { startRecordingOrigin } from '../support/recording-origin.ts';
import { watchHeldBytes } from '../support/resources.ts';

const mebibyte = 1024 * 1024;
const get = (path: string, connection = 'keep-alive'): string =>
  `GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: ${connection}\r\n\r\n`;

/** Sends `text` over and over until the connection is closed. */
async function trickle(client: RawClient, text: string, pauseMs: number): Promise<void> {
  while (!client.isClosed) {
    client.send(text);
    await Promise.race([client.closed, delay(pauseMs)]);
  }
}

/** Returns how many connections were closed because of their client's silence, by code. */
function givenUp({ edge: { edge } }: AttackWorld): object[] | undefined {
  const metric = edge.snapshot().metrics.find(({ name }) => name === 'giraffe_client_connections_given_up_total');
  return metric?.samples.map(({ labels, ...sample }) => ({ ...labels, ...sample }));
}

describe('slow heads', () => {
  it('S5 a head that stops is answered with 408 and its code', async () => {
    await using world = await startAttackWorld({ headTimeoutMs: 400 });
    const answer = await converse(world.port, 'GET / HTTP/1.1\r\nHost: a.test\r\nX-Slow');
    expect(statuses(answer)).toEqual([408]);
    expect(answer).toContain('GIR_ERR_REQUEST_TIMEOUT');
  });

  it('S5 a head that trickles in gets no more time than one that stops', async () => {
    await using world = await startAttackWorld({ headTimeoutMs: 400 });
    using client = await world.connect();
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\nX: ');
    await trickle(client, 'x', 30);
    expect(statuses(client.text)).toEqual([408]);
    expect(world.origin.text).toBe('');
  });

  it('S5 the time for a second head runs from its own first octet', async () => {
    await using world = await startAttackWorld({ headTimeoutMs: 1200, keepAliveTimeoutMs: 20_000 });
    using client = await world.connect();
    client.send(get('/first'));
    await client.until('ok');
    await delay(1500);
    client.send(get('/second').slice(0, 30));
    await delay(50);
    client.send(get('/second').slice(30));
    await eventually('the second answer', () => statuses(client.text).length === 2);
    client.send('GET /third');
    await client.closed;
    expect(statuses(client.text)).toEqual([200, 200, 408]);
  });

  it('S5 a connection on which nothing is ever said is closed without a word', async () => {
    await using world = await startAttackWorld({ headTimeoutMs: 400 });
    expect(await converse(world.port, '')).toBe('');
    expect(givenUp(world)).toEqual([{ code: 'GIR_ERR_CLIENT_IDLE', value: 1 }]);
  });

  it('S5 endless header lines end at the limit, not at the end', async () => {
    await using world = await startAttackWorld({});
    using client = await world.connect();
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\n');
    let sent = 0;
    while (!client.isClosed && client.text === '') {
      client.send('X-Endless: 0123456789\r\n'.repeat(50));
      sent += 50;
      await delay(1);
    }
    await client.closed;
    expect(statuses(client.text)).toEqual([431]);
    expect(sent).toBeLessThan(5000);
  });

  it('S5 one endless header line ends at the limit too', async () => {
    await using world = await startAttackWorld({ maxHeadBytes: 8192 });
    using client = await world.connect();
    client.send('GET / HTTP/1.1\r\nHost: a.test\r\nX: ');
    await trickle(client, 'x'.repeat(1000), 1);
    expect(statuses(client.text)).toEqual([431]);
  });
});

describe('slow bodies', () => {
  it.each([
    ['Content-Length', 'Content-Length: 100\r\n\r\nabc'],
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\n5\r\nabc'],
  ])('S5 a body (%s) that stops is answered with 408, and the origin is let go', async (_what, rest) => {
    let hasOriginClosed = false;
    await using world = await startAttackWorld({ bodyIdleTimeoutMs: 400 }, (socket) => {
      socket.on('close', () => (hasOriginClosed = true));
    });
    const answer = await converse(world.port, `POST / HTTP/1.1\r\nHost: a.test\r\n${rest}`);
    expect(statuses(answer)).toEqual([408]);
    await eventually('the origin is let go', () => hasOriginClosed);
  });

  it('S5 a slow body that goes on is no failure', async () => {
    await using world = await startAttackWorld(
      { bodyIdleTimeoutMs: 1500, headTimeoutMs: 1500, requestTimeoutMs: 1500 },
      (socket) => {
        socket.on(
          'data',
          (chunk) => chunk.includes('!') && socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
        );
      },
    );
    using client = await world.connect();
    client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 16\r\nConnection: close\r\n\r\n');
    for (let octet = 0; octet < 15; octet += 1) {
      await delay(150);
      client.send('x');
    }
    client.send('!');
    await client.closed;
    expect(statuses(client.text)).toEqual([200]);
  });
});

describe('bodies in pieces', () => {
  it('S5 chunks of one octet that nobody takes cost not much more than their octets', async () => {
    await using world = await startAttackWorld({}, (socket) => socket.pause());
    const watch = watchHeldBytes();
    const clients = await Promise.all(Array.from({ length: 8 }, () => world.connect()));
    const flood = Buffer.from('1\r\nx\r\n'.repeat(10_000), 'latin1');
    let movedAtMs = performance.now();
    for (const { socket } of clients) {
      socket.write('POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n');
      const more = (): void => {
        movedAtMs = performance.now();
        while (socket.write(flood));
      };
      socket.on('drain', more);
      more();
    }
    await eventually('nothing moves any more', () => performance.now() - movedAtMs > 1000, 30_000);
    // Eight windows of 1 MiB, once at the edge and in part at the agent; one buffer for each octet would be 35 MiB.
    expect(watch()).toBeLessThan(16 * mebibyte);
    for (const { socket } of clients) socket.destroy();
  });
});

describe('idle connections', () => {
  it('S5 a connection between requests is closed after its time, without a word', async () => {
    await using world = await startAttackWorld({ keepAliveTimeoutMs: 400 });
    using client = await world.connect();
    client.send(get('/'));
    await client.closed;
    expect(statuses(client.text)).toEqual([200]);
    expect(givenUp(world)).toEqual([{ code: 'GIR_ERR_CLIENT_IDLE', value: 1 }]);
    expect(world.edge.log).toContainEqual(
      expect.objectContaining({ level: 'debug', message: 'client connection closed', code: 'GIR_ERR_CLIENT_IDLE' }),
    );
  });
});

describe('clients that do not read', () => {
  /** An origin that answers with octets without end, and counts those it got rid of. */
  function endless(): { readonly count: () => number; readonly answer: Parameters<typeof startRecordingOrigin>[0] } {
    let bytes = 0;
    const piece = Buffer.alloc(64 * 1024);
    return {
      count: () => bytes,
      answer: (socket, head) => {
        if (head.startsWith('GET /small')) return void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n');
        const more = (): void => {
          if (socket.destroyed) return;
          socket.write(piece, (error) => {
            if (error) return;
            bytes += piece.length;
            more();
          });
        };
        more();
      },
    };
  }

  it('S5 one that never reads holds a bounded number of octets, is cut in the end, and delays nobody', async () => {
    const body = endless();
    await using world = await startAttackWorld({ bodyIdleTimeoutMs: 1500 }, body.answer);
    using client = await world.connect({ reads: false });
    client.send(get('/endless'));
    let before = -1;
    await eventually('the flow has stopped', async () => {
      const isStill = body.count() > 0 && body.count() === before;
      before = body.count();
      await delay(200);
      return isStill;
    });
    // Socket buffers of the system on three hops, and one window.
    expect(body.count()).toBeLessThan(64 * mebibyte);
    using other = await world.connect();
    other.send(get('/small'));
    expect(await other.until('ok')).toContain('HTTP/1.1 200');
    await eventually('it is cut', () => world.edge.log.some((line) => line['path'] === '/endless'));
    const code = 'GIR_ERR_CLIENT_STALLED';
    expect(world.edge.log.find((line) => line['path'] === '/endless')).toMatchObject({ code });
    expect(givenUp(world)).toEqual([{ code, value: 1 }]);
    client.socket.resume();
    await client.closed;
    expect(client.text.length).toBeLessThan(64 * mebibyte);
  });

  it('S5 one that sends requests and reads no answer does not make answers pile up', async () => {
    const answer = Buffer.concat([
      Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${mebibyte}\r\n\r\n`),
      Buffer.alloc(mebibyte),
    ]);
    let answered = 0;
    await using world = await startAttackWorld({ bodyIdleTimeoutMs: 2000 }, (socket) => {
      answered += 1;
      socket.write(answer);
    });
    using client = await world.connect({ reads: false });
    client.send(get('/again').repeat(500));
    let before = -1;
    await eventually(
      'the flow has stopped',
      async () => {
        const isStill = answered > 0 && answered === before;
        before = answered;
        await delay(300);
        return isStill;
      },
      30_000,
    );
    expect(answered).toBeLessThan(40);
    // Still not reading, it learns that it was cut when it says more.
    await trickle(client, get('/again'), 100);
    expect(answered).toBeLessThan(40);
  });

  it.each(['close', 'keep-alive'])(
    'S5 one that stops reading for a while still gets its whole answer (Connection: %s)',
    async (connection) => {
      // Somewhere between these sizes the rest of an answer waits in the edge, neither in the agent nor in the system.
      const sizes = Array.from({ length: 14 }, (_, at) => (at + 1) * (mebibyte / 2));
      await using world = await startAttackWorld({ keepAliveTimeoutMs: 500 }, (socket, head) => {
        const bytes = Number(/^GET \/([0-9]+)/.exec(head)?.[1]);
        socket.write(
          Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`), Buffer.alloc(bytes)]),
        );
      });
      const read = await Promise.all(
        sizes.map(async (bytes) => {
          using client = await world.connect({ reads: false });
          client.send(get(`/${bytes}`, connection));
          await delay(4000);
          client.socket.resume();
          await client.closed;
          return client.text.length - (client.text.indexOf('\r\n\r\n') + 4);
        }),
      );
      expect(read).toEqual(sizes);
    },
  );

  it('S5 one that half-closes and never reads is cut as well', async () => {
    const body = Buffer.concat([
      Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${4 * mebibyte}\r\n\r\n`),
      Buffer.alloc(4 * mebibyte),
    ]);
    await using world = await startAttackWorld({ bodyIdleTimeoutMs: 1000 }, body);
    using client = await world.connect({ reads: false });
    client.socket.end(get('/'));
    await delay(4000);
    client.socket.resume();
    await client.closed;
    expect(client.text.length).toBeLessThan(5 * mebibyte);
  });
});
