/** Visitors of endpoints with a password: what reaches the origin, and who does not. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Lifetimes } from '../../src/host/lifecycle/lifetimes.ts';
import { basic, createBasicProvider } from '../../src/plugins/auth/basic.ts';
import { hashPassword } from '../../src/state/password-hash.ts';
import { HttpClient } from '../support/http-client.ts';
import { converse, rawClient, statuses } from '../support/raw-client.ts';
import { type RecordingOrigin, startRecordingOrigin } from '../support/recording-origin.ts';
import { startTestAgent, startTestEdge, type TestEdge, testToken, tokenProvider } from '../support/world.ts';

const right = `Basic ${Buffer.from('ann:s3cret').toString('base64')}`;
const wrong = `Basic ${Buffer.from('ann:wrong-password').toString('base64')}`;

const disposables = new Lifetimes();
let edge: TestEdge;
let origin: RecordingOrigin;
let before = 0;

async function startVisitedEdge(): Promise<TestEdge> {
  // Machines that are busy with other tests take their time for passwords.
  const users = { ann: await hashPassword('s3cret') };
  const options = basic.options.parse({ users, endpoints: ['private.test'] });
  const tokens = tokenProvider(async (token) =>
    token === testToken ? { id: 'test', endpoints: ['*'], expiresAt: undefined } : undefined,
  );
  return startTestEdge(
    { authTimeoutMs: 50_000 },
    {
      authProviders: [
        { name: 'test', provider: tokens },
        { name: 'basic', provider: createBasicProvider(options, Date.now) },
      ],
    },
  );
}

beforeAll(async () => {
  origin = disposables.use(
    await startRecordingOrigin((socket, head) => {
      const isUpgrade = /^upgrade:/im.test(head);
      socket.write(
        isUpgrade
          ? 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'
          : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      );
    }),
  );
  edge = disposables.use(await startVisitedEdge());
  for (const domain of ['private.test', 'public.test']) {
    disposables.use(await startTestAgent(edge.edge.ports, domain, String(origin.port)));
  }
});
afterAll(async () => disposables[Symbol.asyncDispose]());
beforeEach(() => {
  before = origin.text.length;
});

/** What the origin got in this test. */
const received = (): string => origin.text.slice(before);

function ask(host: string, authorization?: string, rest = ''): Promise<string> {
  const line = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`;
  return converse(
    edge.edge.ports.proxy,
    `GET /page HTTP/1.1\r\nHost: ${host}\r\n${line}Connection: close\r\n${rest}\r\n`,
  );
}

describe('basic authentication of visitors', () => {
  it('asks for a password first, and the origin hears nothing', async () => {
    const answer = await ask('private.test');
    expect(statuses(answer)).toEqual([401]);
    expect(answer).toContain('WWW-Authenticate: Basic realm="giraffe", charset="UTF-8"\r\n');
    expect(answer).toContain('GIR_ERR_AUTH_REQUIRED');
    expect(received()).toBe('');
  });

  it('lets the right password in, and keeps it from the origin', async () => {
    expect(statuses(await ask('private.test', right))).toEqual([200]);
    expect(received()).toContain('GET /page HTTP/1.1');
    expect(received().toLowerCase()).not.toContain('authorization');
  });

  it('S2 keeps a wrong one, a second field and another scheme out', async () => {
    expect(statuses(await ask('private.test', wrong))).toEqual([401]);
    expect(statuses(await ask('private.test', wrong, `Authorization: ${right}\r\n`))).toEqual([401]);
    expect(statuses(await ask('private.test', 'Bearer s3cret'))).toEqual([401]);
    expect(received()).toBe('');
  });

  it.each(['PRIVATE.test', 'private.test:8081', 'private.test.'])(
    'S2 protects the endpoint also as %s',
    async (host) => {
      const [status] = statuses(await ask(host));
      expect([401, 404]).toContain(status);
      expect(received()).toBe('');
    },
  );

  it('leaves endpoints without a rule alone, and their Authorization to the origin', async () => {
    expect(statuses(await ask('public.test'))).toEqual([200]);
    expect(statuses(await ask('public.test', right))).toEqual([200]);
    expect(received()).toContain(`Authorization: ${right}`);
  });

  it('protects upgrades, too', async () => {
    const upgrade = 'Upgrade: x\r\n';
    const head = (line: string) =>
      `GET /ws HTTP/1.1\r\nHost: private.test\r\nConnection: Upgrade\r\n${upgrade}${line}\r\n`;
    using refused = await rawClient(edge.edge.ports.proxy, '', { halfOpen: false });
    refused.send(head(''));
    expect(statuses(await refused.until('\r\n\r\n'))).toEqual([401]);
    expect(received()).toBe('');
    using allowed = await rawClient(edge.edge.ports.proxy, '', { halfOpen: false });
    allowed.send(head(`Authorization: ${right}\r\n`));
    expect(statuses(await allowed.until('\r\n\r\n'))).toEqual([101]);
  });

  it('holds a body while the password is being checked, and loses nothing of it', async () => {
    const fresh = await startVisitedEdge();
    await using _edge = fresh;
    await using _agent = await startTestAgent(fresh.edge.ports, 'private.test', String(origin.port));
    const body = 'x'.repeat(200_000);
    const request = `POST /upload HTTP/1.1\r\nHost: private.test\r\nAuthorization: ${right}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
    expect(statuses(await converse(fresh.edge.ports.proxy, request))).toEqual([200]);
    expect(received().length).toBeGreaterThan(0);
  });

  it('answers pipelined requests each by its own credentials', async () => {
    const one = (line: string) => `GET / HTTP/1.1\r\nHost: private.test\r\n${line}\r\n`;
    const authorization = `Authorization: ${right}\r\n`;
    const all = one(authorization) + one('') + one(`${authorization}Connection: close\r\n`);
    expect(statuses(await converse(edge.edge.ports.proxy, all))).toEqual([200, 401, 200]);
  });

  it('slows and then refuses an address that guesses, and nobody else', async () => {
    const guessed = await startVisitedEdge();
    await using _edge = guessed;
    await using _agent = await startTestAgent(guessed.edge.ports, 'private.test', String(origin.port));
    using guesser = new HttpClient(guessed.edge.ports.proxy, 'private.test');
    using friend = new HttpClient(guessed.edge.ports.proxy, 'private.test');
    const guess = (n: number) => {
      const headers = { Authorization: `Basic ${Buffer.from(`ann:${n}`).toString('base64')}` };
      return guesser.get('/', { headers, localAddress: '127.0.0.2' });
    };
    const guesses = Array.from({ length: 30 }, (_, n) => guess(n));
    const headers = { Authorization: right };
    const first = await Promise.race([...guesses.slice(10), friend.get('/', { headers, localAddress: '127.0.0.3' })]);
    expect(first.status).toBe(200);
    const answers = await Promise.all(guesses);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    const refused = await guess(31);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await friend.get('/', { headers, localAddress: '127.0.0.3' })).status).toBe(200);
  });

  it('S7 writes no password and no Authorization into the log', () => {
    const told = JSON.stringify(edge.log);
    expect(told).toContain('GIR_ERR_AUTH_REQUIRED');
    for (const secret of [right, wrong, right.slice(6), wrong.slice(6), 's3cret']) expect(told).not.toContain(secret);
  });
});
