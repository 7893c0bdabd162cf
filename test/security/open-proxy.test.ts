/** S8: whatever an edge says, its agent reaches the configured targets and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CarrierRecorder, wire } from '../support/forged-carrier.ts';
import { type ForgedEdge, startForgedEdge, welcomeFrame } from '../support/forged-edge.ts';
import { rawFrame } from '../support/raw-frames.ts';
import { type RecordingOrigin, startRecordingOrigin } from '../support/recording-origin.ts';
import { startTestAgent, type TestAgent } from '../support/world.ts';

let edge: ForgedEdge;
let target: RecordingOrigin;
/** Another service on the agent's machine, which nobody configured. */
let secret: RecordingOrigin;
let agent: TestAgent;
let carrier: CarrierRecorder;
let lastId = 0;

beforeAll(async () => {
  edge = await startForgedEdge('a.test');
  target = await startRecordingOrigin();
  secret = await startRecordingOrigin();
  agent = await startTestAgent(edge.ports, 'a.test', `127.0.0.1:${target.port}`, { transport: 'tcp' });
  carrier = await edge.next();
});

afterAll(async () => {
  await agent[Symbol.asyncDispose]();
  await edge[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
  await secret[Symbol.asyncDispose]();
});

/** Opens a stream with this head on a living carrier and resolves with the type of the answer. */
async function ask(head: string, flags = 1): Promise<number> {
  if (carrier.isClosed) {
    carrier = await edge.next();
    lastId = 0;
  }
  lastId += 1;
  const id = lastId;
  carrier.send(rawFrame(wire.head, flags, id, head));
  const answers: readonly number[] = [wire.head, wire.reset, wire.goAway];
  const isAnswer = ({ type, id: of }: { type: number; id: number }): boolean =>
    answers.includes(type) && (of === id || type === wire.goAway);
  for (;;) {
    const answer = carrier.frames.find(isAnswer);
    if (answer !== undefined) {
      if (answer.type === wire.goAway) await carrier.closed;
      return answer.type;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('endpoints', () => {
  it.each([
    ['another name', 'b.test'],
    ['the secret service itself', () => `127.0.0.1:${secret.port}`],
    ['localhost', 'localhost'],
    ['capitals', 'A.TEST'],
    ['a final dot', 'a.test.'],
    ['a suffix', 'x.a.test'],
    ['an object property', '__proto__'],
    ['constructor', 'constructor'],
    ['a URL', () => `http://127.0.0.1:${secret.port}/`],
    ['a UNIX socket', 'unix:/var/run/docker.sock'],
  ])('S8 a stream for an endpoint that is not ours, %s, is refused', async (_what, endpoint) => {
    const before = target.text;
    const name = typeof endpoint === 'function' ? endpoint() : endpoint;
    expect(await ask(`GET / 1 - 65536 ${name}\nHost:a.test`)).toBe(wire.reset);
    expect(target.text).toBe(before);
    expect(secret.received).toEqual([]);
  });

  it('S8 an endpoint that only the edge’s WELCOME names is not served', async () => {
    await using other = await startForgedEdge('c.test');
    await using own = await startTestAgent(other.ports, 'a.test', `127.0.0.1:${target.port}`, {
      transport: 'tcp',
      waits: false,
    });
    own.agent.ready.catch(() => {});
    const { error } = await own.event('reconnecting');
    expect(error.code).toBe('GIR_ERR_PROTOCOL');
  });
});

describe('heads that point elsewhere', () => {
  it.each([
    ['an absolute target', () => `GET http://127.0.0.1:${secret.port}/ 1 - 65536 a.test\nHost:a.test`, undefined],
    ['an authority as target', () => `CONNECT 127.0.0.1:${secret.port} 1 - 65536 a.test\nHost:a.test`, undefined],
    ['an authority as target of GET', () => `GET 127.0.0.1:${secret.port} 1 - 65536 a.test\nHost:a.test`, undefined],
    ['a target with a carriage return', () => 'GET /\rX 1 - 65536 a.test\nHost:a.test', undefined],
    ['a target with NUL', () => 'GET /\0 1 - 65536 a.test\nHost:a.test', undefined],
    ['a method with a line break', () => 'GET\r 1 1 - 65536 a.test\nHost:a.test', undefined],
    ['a method with a slash', () => 'G/T / 1 - 65536 a.test\nHost:a.test', undefined],
    ['two Host lines', () => `GET / 1 - 65536 a.test\nHost:a.test\nHost:127.0.0.1:${secret.port}`, undefined],
    ['a name with a space', () => 'GET / 1 - 65536 a.test\nHost:a.test\nX Y:1', undefined],
    ['a name with a carriage return', () => 'GET / 1 - 65536 a.test\nHost:a.test\nX\r:1', undefined],
    [
      'a value with a carriage return',
      () => 'GET / 1 - 65536 a.test\nHost:a.test\nX:1\rGET /hidden HTTP/1.1\r',
      undefined,
    ],
    ['a value with NUL', () => 'GET / 1 - 65536 a.test\nHost:a.test\nX:\0', undefined],
    ['a Transfer-Encoding line', () => 'POST / 1 - 65536 a.test\nHost:a.test\nTransfer-Encoding:chunked', undefined],
    ['Content-Length that no body follows', () => 'POST / 1 - 65536 a.test\nHost:a.test\nContent-Length:5', undefined],
    ['Content-Length beside a chunked body', () => 'POST / 1 c 65536 a.test\nHost:a.test\nContent-Length:5', undefined],
    [
      'another Content-Length than announced',
      () => 'POST / 1 3 65536 a.test\nHost:a.test\nContent-Length:5',
      undefined,
    ],
    [
      'two Content-Length lines',
      () => 'POST / 1 5 65536 a.test\nHost:a.test\nContent-Length:5\nContent-Length:5',
      undefined,
    ],
    ['a body until close', () => 'POST / 1 x 65536 a.test\nHost:a.test', undefined],
    ['an upgrade with a carriage return', () => 'GET / 1 - 65536 a.test web\rsocket\nHost:a.test', undefined],
    ['a version of its own', () => 'GET / 7 - 65536 a.test\nHost:a.test', undefined],
    ['credit beyond all bounds', () => 'GET / 1 - 9999999999 a.test\nHost:a.test', undefined],
    ['an interim request head', () => 'GET / 1 - 65536 a.test\nHost:a.test', 2],
    ['nothing at all', () => '', undefined],
  ] as readonly (readonly [what: string, head: () => string, flags: number | undefined])[])(
    'S8 %s: refused, and no octet reaches any service',
    async (_what, head, flags) => {
      const before = target.text;
      expect([wire.reset, wire.goAway]).toContain(await ask(head(), flags ?? 1));
      expect(target.text).toBe(before);
      expect(secret.received).toEqual([]);
    },
  );

  it.each([
    ['Host', () => `Host:127.0.0.1:${secret.port}`],
    ['X-Forwarded-Host', () => `Host:a.test\nX-Forwarded-Host:127.0.0.1:${secret.port}`],
    ['Forwarded', () => `Host:a.test\nForwarded:host=127.0.0.1:${secret.port}`],
    ['Location', () => `Host:a.test\nLocation:http://127.0.0.1:${secret.port}/`],
    ['Alt-Svc', () => `Host:a.test\nAlt-Svc:h2="127.0.0.1:${secret.port}"`],
  ])('S8 %s of another service still goes to the configured one', async (_what, fields) => {
    const before = target.text.length;
    expect(await ask(`GET /fields 1 - 65536 a.test\n${fields()}`)).toBe(wire.head);
    expect(target.text.slice(before)).toContain('GET /fields HTTP/1.1');
    expect(secret.received).toEqual([]);
  });

  it('S8 a redirect of the origin is handed on, not followed', async () => {
    await using redirecting = await startRecordingOrigin(
      `HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${secret.port}/\r\nContent-Length: 0\r\n\r\n`,
    );
    await using other = await startForgedEdge('a.test');
    await using _agent = await startTestAgent(other.ports, 'a.test', `127.0.0.1:${redirecting.port}`, {
      transport: 'tcp',
    });
    const one = await other.next();
    one.send(rawFrame(wire.head, 1, 1, 'GET / 1 - 65536 a.test\nHost:a.test'));
    expect((await one.frame(wire.head)).payload.toString()).toMatch(/^302 /);
    expect(secret.received).toEqual([]);
  });
});

describe('bodies and trailers that hide a request', () => {
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: a.test\r\n\r\n';

  it.each([
    [
      'more body than announced',
      'POST /body 1 3 65536 a.test\nHost:a.test\nContent-Length:3',
      rawFrame(wire.data, 1, 0, `abc${hidden}`),
    ],
    ['a body where none was announced', 'POST /body 1 - 65536 a.test\nHost:a.test', rawFrame(wire.data, 1, 0, hidden)],
    [
      'trailers with a line break',
      'POST /body 1 c 65536 a.test\nHost:a.test',
      rawFrame(wire.end, 0, 0, `\nX:1\r\n\r\n${hidden}`),
    ],
    ['trailers that frame', 'POST /body 1 c 65536 a.test\nHost:a.test', rawFrame(wire.end, 0, 0, '\nContent-Length:5')],
  ])('S8 %s', async (_what, head, frame) => {
    await using other = await startForgedEdge('a.test');
    await using _agent = await startTestAgent(other.ports, 'a.test', `127.0.0.1:${target.port}`, { transport: 'tcp' });
    const one = await other.next();
    frame.writeUInt32BE(1, 5);
    one.send(rawFrame(wire.head, 0, 1, head), frame);
    // The agent is through with it when it has answered what came behind.
    one.send(rawFrame(wire.ping, 0, 0, 'the-end!'));
    await Promise.race([
      one.closed,
      one.frame(wire.pong, ({ payload }) => payload.toString() === 'the-end!').catch(() => {}),
    ]);
    expect(target.text).not.toContain('/hidden');
  });
});

describe('a WELCOME with tricks', () => {
  it.each([
    [
      'more endpoints than were asked for',
      {
        endpoints: [
          { host: 'a.test', url: 'x' },
          { host: 'b.test', url: 'x' },
        ],
      },
    ],
    ['no endpoint', { endpoints: [] }],
    ['another endpoint', { endpoints: [{ host: 'b.test', url: 'x' }] }],
    ['a ping interval of 0', { keepAliveMs: 0 }],
    ['a ping interval beyond what timers know', { keepAliveMs: 2 ** 40 }],
  ])('S8 %s is refused', async (_what, overrides) => {
    await using other = await startForgedEdge('a.test', welcomeFrame('a.test', overrides));
    await using own = await startTestAgent(other.ports, 'a.test', `127.0.0.1:${target.port}`, {
      transport: 'tcp',
      waits: false,
    });
    own.agent.ready.catch(() => {});
    const { error } = await own.event('reconnecting');
    expect(error.code).toBe('GIR_ERR_PROTOCOL');
  });
});
