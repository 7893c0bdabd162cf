/**
 * Hardening 14 and S9: an agent that is not what it should be. Its answers are judged at the edge; the client never sees
 * a split, doubled or made-up response, and other tunnels do not notice.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackWorld, startAttackWorld } from '../support/attack-world.ts';
import { eventually } from '../support/eventually.ts';
import { type CarrierRecorder, connectForgedTls, helloFrame, wire } from '../support/forged-carrier.ts';
import { converse, type RawClient, rawClient, statuses } from '../support/raw-client.ts';
import { rawFrame } from '../support/raw-frames.ts';
import { heldBytes } from '../support/resources.ts';

let world: AttackWorld;
let generation = 0;

beforeAll(async () => {
  world = await startAttackWorld({ reconnectGraceMs: 0 });
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const get = 'GET /x HTTP/1.1\r\nHost: forged.test\r\n\r\n';
const head = 'HEAD /x HTTP/1.1\r\nHost: forged.test\r\n\r\n';
const upgrade = 'GET /x HTTP/1.1\r\nHost: forged.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const split = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nINJECTED';

interface Victim extends Disposable {
  readonly carrier: CarrierRecorder;
  readonly client: RawClient;
  readonly id: number;
  answer(...frames: readonly [type: number, flags: number, payload: string | Buffer][]): void;
}

/** A client whose request waits at a forged agent. */
async function openVictim(request = get): Promise<Victim> {
  generation += 1;
  const carrier = await connectForgedTls(world.edge.edge.ports.tunnel);
  carrier.send(helloFrame({ generation }));
  await carrier.frame(wire.welcome);
  const client = await rawClient(world.port, '', { halfOpen: false });
  client.send(request);
  const { id } = await carrier.frame(wire.head);
  return {
    carrier,
    client,
    id,
    answer: (...frames) => carrier.send(...frames.map(([type, flags, payload]) => rawFrame(type, flags, id, payload))),
    [Symbol.dispose]: () => {
      client.socket.destroy();
      carrier.destroy();
    },
  };
}

async function expectOthersServed(): Promise<void> {
  const answer = await converse(world.port, 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
  expect(statuses(answer)).toEqual([200]);
}

describe('heads that nobody may write to a socket', () => {
  it.each([
    ['a carriage return in a value', `200 1 0 OK\nContent-Length:0\nX:1\r${split.replaceAll('\r\n', '\r')}`],
    ['a carriage return in a name', `200 1 0 OK\nContent-Length:0\nX\r${'Y'}:1`],
    ['a carriage return in the reason', `200 1 0 OK\r${split.replaceAll('\r\n', '\r')}\nContent-Length:0`],
    ['a NUL in a value', '200 1 0 OK\nContent-Length:0\nX:\0'],
    ['an ESC in a value', '200 1 0 OK\nContent-Length:0\nX:\x1b[2J'],
    ['a name with a space', '200 1 0 OK\nContent-Length:0\nX Y:1'],
    ['a name with a tab', '200 1 0 OK\nContent-Length:0\nX\t:1'],
    ['an empty name', '200 1 0 OK\nContent-Length:0\n:1'],
    ['a line without a colon', '200 1 0 OK\nContent-Length:0\nX'],
    ['an empty line', '200 1 0 OK\nContent-Length:0\n\nX:1'],
    ['status 99', '099 1 0 OK\nContent-Length:0'],
    ['status 600', '600 1 0 OK\nContent-Length:0'],
    ['status 1000', '1000 1 0 OK\nContent-Length:0'],
    ['a status that is no number', 'OK 1 0 OK\nContent-Length:0'],
    ['a 101 that nobody asked for', '101 1 - Switching Protocols\nUpgrade:websocket\nConnection:Upgrade'],
    ['a final head of status 103', '103 1 - Early Hints\nLink:</x>'],
    ['no framing for an answer with a body', '200 1 - OK'],
    ['a length without its line', '200 1 8 OK'],
    ['another length than its line', '200 1 8 OK\nContent-Length:80'],
    ['two Content-Length lines', '200 1 8 OK\nContent-Length:8\nContent-Length:8'],
    ['a list of lengths', '200 1 8 OK\nContent-Length:8, 8'],
    ['Content-Length beside a chunked body', '200 1 c OK\nContent-Length:8'],
    ['Content-Length and Transfer-Encoding', '200 1 c OK\nContent-Length:8\nTransfer-Encoding:chunked'],
    ['Transfer-Encoding beside a length', '200 1 8 OK\nTransfer-Encoding:chunked\nContent-Length:8'],
    ['Transfer-Encoding: gzip', '200 1 c OK\nTransfer-Encoding:gzip, chunked'],
    ['a body in a 204', '204 1 8 No Content\nContent-Length:8'],
    ['a body in a 304', '304 1 c Not Modified'],
    ['a length beyond all bounds', '200 1 99999999999999999 OK\nContent-Length:99999999999999999'],
    ['another version', '200 2 0 OK\nContent-Length:0'],
    [
      '17 options of Connection',
      `200 1 0 OK\nContent-Length:0\nConnection:${Array.from({ length: 17 }, (_, at) => `o${at}`).join(',')}`,
    ],
    ['nothing', ''],
  ])('hardening 14: %s is answered with 502, and the session ends', async (_what, payload) => {
    using victim = await openVictim();
    victim.answer([wire.head, 0, payload]);
    await eventually('an answer', () => statuses(victim.client.text).length > 0);
    expect(statuses(victim.client.text)).toEqual([502]);
    expect(victim.client.text).not.toContain('INJECTED');
    expect(await victim.carrier.goAwayCode()).toMatch(/^GIR_ERR_(?:PROTOCOL|ORIGIN_PROTOCOL)$/);
    await victim.carrier.closed;
    await expectOthersServed();
  });

  it.each([
    ['an interim head of status 200', 2, '200 1 0 OK\nContent-Length:0'],
    ['an interim head of status 101', 2, '101 1 - Switching Protocols\nUpgrade:websocket'],
    ['an interim head that ends the stream', 3, '103 1 - Early Hints'],
  ])('hardening 14: %s is answered with 502, and the session ends', async (_what, flags, payload) => {
    using victim = await openVictim(upgrade);
    victim.answer([wire.head, flags, payload]);
    await eventually('an answer', () => statuses(victim.client.text).length > 0);
    expect(statuses(victim.client.text)).toEqual([502]);
    expect(await victim.carrier.goAwayCode()).toBe('GIR_ERR_PROTOCOL');
  });

  it('hardening 14: a body in an answer to HEAD never reaches the client', async () => {
    using victim = await openVictim(head);
    victim.answer([wire.head, 0, '200 1 8 OK\nContent-Length:8'], [wire.data, 1, 'INJECTED']);
    await eventually('an answer', () => statuses(victim.client.text).length > 0);
    expect(statuses(victim.client.text)).toEqual([502]);
    expect(victim.client.text).not.toContain('INJECTED');
  });
});

describe('heads that are cleaned', () => {
  it('hardening 14: what belongs to one connection is taken out, and the length stays', async () => {
    using victim = await openVictim();
    const fields = 'Connection:close, X-Hop\nKeep-Alive:timeout=9\nProxy-Connection:x\nX-Hop:1\nUpgrade:h2c\nTE:gzip';
    victim.answer([wire.head, 1, `200 1 0 OK\nContent-Length:0\n${fields}\nX-End:1`]);
    const text = await victim.client.until('\r\n\r\n');
    expect(statuses(text)).toEqual([200]);
    expect(text).not.toMatch(/connection:|keep-alive|x-hop|upgrade|te: gzip/i);
    expect(text).toContain('\r\nX-End: 1\r\n');
  });

  it.each([
    ['103', 2, '103 1 - Early Hints\nContent-Length:8\nLink:</x>'],
    ['204', 1, '204 1 - No Content\nContent-Length:8\nX-End:1'],
  ])(
    'hardening 14: a %s keeps no Content-Length, by which some clients would read on (RFC 9110 8.6)',
    async (_status, flags, payload) => {
      using victim = await openVictim();
      victim.answer([wire.head, flags, payload]);
      const text = await victim.client.until('\r\n\r\n');
      expect(text).not.toMatch(/content-length/i);
      expect(victim.carrier.isClosed).toBe(false);
    },
  );
});

const brokenBodies: readonly (readonly [string, [number, number, string][]])[] = [
  ['more than announced, in one piece', [[wire.data, 1, `12345${split}`]]],
  [
    'more than announced, in two',
    [
      [wire.data, 0, '12345'],
      [wire.data, 1, split],
    ],
  ],
  [
    'a second head behind the body',
    [
      [wire.data, 0, '123'],
      [wire.head, 0, '200 1 8 OK\nContent-Length:8'],
      [wire.data, 1, 'INJECTED'],
    ],
  ],
  [
    'trailers with a line break',
    [
      [wire.data, 0, '123'],
      [wire.end, 0, `\nX:1\r\n\r\n${split}`],
    ],
  ],
  [
    'less than announced, ended by trailers',
    [
      [wire.data, 0, '123'],
      [wire.end, 0, '\nX:1'],
    ],
  ],
  ['less than announced', [[wire.data, 1, '123']]],
  [
    'a reset in the middle',
    [
      [wire.data, 0, '123'],
      [wire.reset, 0, 'GIR_ERR_RESPONSE_INCOMPLETE'],
    ],
  ],
];

describe('bodies that differ from their head', () => {
  it.each(brokenBodies)(
    'hardening 14: %s: the client sees a broken transfer and nothing of another response',
    async (_what, frames) => {
      using victim = await openVictim(get + get);
      victim.answer([wire.head, 0, '200 1 5 OK\nContent-Length:5']);
      await victim.client.until('200 OK');
      victim.answer(...frames);
      await victim.client.closed;
      expect(victim.client.text).not.toContain('INJECTED');
      expect(statuses(victim.client.text)).toEqual([200]);
      await expectOthersServed();
    },
  );

  it.each(brokenBodies)('hardening 14: %s, together with its head: 502, or broken', async (_what, frames) => {
    using victim = await openVictim(get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    victim.answer([wire.head, 0, '200 1 5 OK\nContent-Length:5'], ...frames);
    await victim.client.closed;
    expect(victim.client.text).not.toContain('INJECTED');
    expect(victim.client.text).not.toMatch(/\r\n\r\n.{5}$/);
    expect(statuses(victim.client.text).length).toBeLessThanOrEqual(1);
    await expectOthersServed();
  });

  it.each([
    ['trailers that frame', '\nContent-Length:5'],
    ['trailers with Transfer-Encoding', '\nTransfer-Encoding:chunked'],
    ['trailers with a carriage return', '\nX:1\rINJECTED'],
    ['trailers with a broken name', '\nX Y:1'],
    ['trailers that are none', 'X'],
  ])('hardening 14: %s behind a chunked body: a broken transfer, no last chunk', async (_what, payload) => {
    using victim = await openVictim();
    victim.answer([wire.head, 0, '200 1 c OK'], [wire.data, 0, '123']);
    await victim.client.until('3\r\n123\r\n');
    victim.answer([wire.end, 0, payload]);
    await victim.client.closed;
    expect(victim.client.text).not.toContain('INJECTED');
    expect(victim.client.text).not.toContain('\r\n0\r\n');
    expect(await victim.carrier.goAwayCode()).toBe('GIR_ERR_PROTOCOL');
  });

  it('hardening 14: chunk syntax in a chunked body is data', async () => {
    using victim = await openVictim();
    victim.answer([wire.head, 0, '200 1 c OK'], [wire.data, 1, `0\r\n\r\n${split}`]);
    const text = await victim.client.until('\r\n0\r\n\r\n');
    const body = `0\r\n\r\n${split}`;
    expect(text).toContain(`\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
  });
});

describe('answers that nobody waits for', () => {
  it.each([
    ['DATA before the head', [[wire.data, 1, 'INJECTED']]],
    ['END before the head', [[wire.end, 0, '']]],
    [
      'two heads',
      [
        [wire.head, 0, '200 1 c OK'],
        [wire.head, 0, '200 1 c OK'],
      ],
    ],
    [
      'DATA behind the end',
      [
        [wire.head, 1, '200 1 0 OK\nContent-Length:0'],
        [wire.data, 0, 'INJECTED'],
      ],
    ],
  ] as readonly (readonly [string, [number, number, string][]])[])('S9 %s', async (_what, frames) => {
    using victim = await openVictim('POST /x HTTP/1.1\r\nHost: forged.test\r\nContent-Length: 5\r\n\r\nab');
    victim.answer(...frames);
    await victim.client.closed;
    expect(victim.client.text).not.toContain('INJECTED');
    expect(statuses(victim.client.text).length).toBeLessThanOrEqual(1);
    await expectOthersServed();
  });

  it('S9 an answer on the stream of another client is not possible: ids belong to their carrier', async () => {
    using own = await openVictim();
    const client = await rawClient(world.port, '', { halfOpen: false });
    client.send('POST /slow HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n\r\n');
    for (let id = 1; id <= own.id; id += 1) own.carrier.send(rawFrame(wire.reset, 0, id, 'GIR_ERR_INTERNAL'));
    own.carrier.send(rawFrame(wire.head, 1, own.id + 1, '200 1 0 INJECTED\nContent-Length:0'));
    await own.carrier.closed;
    client.send('x');
    expect(await client.until('ok')).not.toContain('INJECTED');
    client.socket.destroy();
  });

  it('S5 interim heads without end do not fill the memory for a client that does not read', async () => {
    using victim = await openVictim();
    victim.client.socket.pause();
    const interim = rawFrame(wire.head, 2, victim.id, `103 1 - Early Hints\nLink:${'x'.repeat(1000)}`);
    const many = Buffer.alloc(interim.length * 100, interim);
    const before = heldBytes();
    for (let sent = 0; sent < 64 * 1024 * 1024 && !victim.carrier.isClosed; sent += many.length) {
      victim.carrier.send(many);
      if (sent % (many.length * 10) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    victim.carrier.send(rawFrame(wire.ping, 0, 0, 'the-end!'));
    await victim.carrier.frame(wire.pong, ({ payload }) => payload.toString() === 'the-end!');
    expect(heldBytes() - before).toBeLessThan(16 * 1024 * 1024);
    victim.answer([wire.head, 1, '200 1 0 OK\nContent-Length:0']);
    victim.client.socket.resume();
    expect(await victim.client.until('HTTP/1.1 200 OK')).toContain('103 Early Hints');
  });
});
