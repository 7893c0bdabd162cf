import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { curlCommand } from '../../src/inspector/curl-command.ts';
import { harOf } from '../../src/inspector/har.ts';
import { detailOf, detailsOf, messagesOf } from '../../src/inspector/view-of-record.ts';
import { hasPrograms } from '../support/programs.ts';
import { storeWith, type ToldExchange, tell } from './recorded.ts';
import { frame } from './web-socket-frame.ts';

function viewOf(told: ToldExchange) {
  return detailOf(tell(storeWith(), told), false);
}

/** The words that a shell makes of a command, the first one left out. */
function wordsOf(command: string): string[] {
  const script = `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n${command}`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

describe('curlCommand()', () => {
  it('writes one option per line, and leaves out what the edge adds', async () => {
    const fields = [
      ['Host', 'app.test:8081'],
      ['Accept', 'text/html'],
      ['Accept-Encoding', 'gzip, br'],
      ['X-Empty', ''],
      ['X-Forwarded-For', '10.0.0.1'],
      ['X-Forwarded-Proto', 'https'],
      ['Via', '1.1 giraffe'],
    ] as const;
    expect(curlCommand(await viewOf({ target: '/a?b=c', fields }))).toBe(
      [
        "curl 'https://app.test:8081/a?b=c'",
        "--header 'Accept: text/html'",
        '--compressed',
        "--header 'X-Empty;'",
      ].join(' \\\n  '),
    );
  });

  it.each(['\u0003', '\u0015', '\u001b[201~', '\r', '\u007f', '\u009b'])(
    'writes no control character that a terminal takes for a key, such as %j',
    async (key) => {
      const command = curlCommand(await viewOf({ method: 'POST', body: `a${key}\ntouch /tmp/owned\n` }));
      expect(command).toContain('base64 -d');
      expect([...command].filter((character) => character !== '\n' && !/[^\p{Cc}]/u.test(character))).toEqual([]);
    },
  );

  it('survives the shell, whatever is in a value', async () => {
    const nasty = `it's "$HOME" \`id\` \\ $(id); #!`;
    const exchange = await viewOf({
      method: 'PUT',
      target: "/'$(id)'?a[]=1",
      fields: [['X-A', nasty]],
      body: `@${nasty}\nsecond`,
    });
    expect(wordsOf(curlCommand(exchange))).toEqual([
      "http://app.test/'$(id)'?a[]=1",
      '--request',
      'PUT',
      '--globoff',
      '--header',
      `X-A: ${nasty}`,
      '--data-raw',
      `@${nasty}\nsecond`,
    ]);
  });

  it.each([
    ['HEAD', undefined, ['--head']],
    ['POST', 'a', ['--data-raw', 'a']],
    ['GET', 'a', ['--request', 'GET', '--data-raw', 'a']],
    ['DELETE', undefined, ['--request', 'DELETE']],
  ])('says what curl would not guess: %s with body %s', async (method, body, words) => {
    const told = { method, fields: [], ...(body === undefined ? {} : { body }) };
    expect(wordsOf(curlCommand(await viewOf(told))).slice(1)).toEqual(words);
  });

  it.skipIf(!hasPrograms('base64'))('pipes octets that are no text', async () => {
    const octets = Buffer.from([0, 255, 10]);
    const command = curlCommand(await viewOf({ method: 'POST', fields: [], body: octets }));
    const script = `curl() { cat; }\n${command}`;
    expect(execFileSync('sh', ['-c', script])).toEqual(octets);
  });

  it('says that a body is only a beginning', async () => {
    const store = storeWith({ maxBodyBytes: 2 });
    const exchange = await detailOf(tell(store, { method: 'POST', body: 'abc' }));
    expect(curlCommand(exchange)).toMatch(/^# only the first 2 of 3 octets/);
  });
});

describe('harOf()', () => {
  it('decodes no more of all bodies together than a bound, and is not six times as large as what they are', async () => {
    const store = storeWith();
    const answer = gzipSync(Buffer.alloc(1024 * 1024));
    const told = { answer, answerFields: [['Content-Encoding', 'gzip']] } as const;
    const details = await detailsOf(Array.from({ length: 40 }, () => tell(store, told)));
    const decoded = details.filter(({ response }) => response?.body?.decoded.length === 1);
    expect(decoded).toHaveLength(16);
    expect(details.at(-1)?.response?.body?.base64).toBe(answer.toString('base64'));
    expect(JSON.stringify(harOf(details, '1.0.0')).length).toBeLessThan(24 * 1024 * 1024);
  });

  it('undoes four codings of a body, and no more', async () => {
    const codings = 6;
    let answer = Buffer.from('text');
    for (let times = 0; times < codings; times += 1) answer = gzipSync(answer);
    const answerFields = [['Content-Encoding', Array(codings).fill('gzip').join(', ')]] as const;
    expect((await viewOf({ answer, answerFields })).response?.body?.decoded).toHaveLength(4);
  });

  it('has what HAR 1.2 asks of an entry', async () => {
    const exchange = await viewOf({
      method: 'POST',
      target: '/a?b=c',
      fields: [
        ['Host', 'app.test'],
        ['Content-Type', 'text/plain'],
      ],
      body: 'question',
      answerFields: [
        ['Content-Type', 'image/png'],
        ['Location', '/b'],
      ],
      answer: Buffer.from([0x89, 0xff]),
    });
    expect(harOf([exchange], '1.2.3')).toMatchObject({
      log: {
        version: '1.2',
        creator: { name: 'giraffe', version: '1.2.3' },
        entries: [
          {
            startedDateTime: exchange.startedAt,
            request: {
              method: 'POST',
              url: 'http://app.test/a?b=c',
              httpVersion: 'HTTP/1.1',
              queryString: [{ name: 'b', value: 'c' }],
              postData: { mimeType: 'text/plain', text: 'question' },
              bodySize: 8,
            },
            response: {
              status: 200,
              content: { size: 2, mimeType: 'image/png', encoding: 'base64', text: 'if8=' },
              redirectURL: '/b',
            },
          },
        ],
      },
    });
  });

  it('has the messages of a WebSocket where the developer tools of browsers look for them', async () => {
    const store = storeWith();
    const record = tell(store, {
      upgrade: 'websocket',
      status: 101,
      answerFields: [['Upgrade', 'websocket']],
      isLive: true,
    });
    record.onRelayed('toOrigin', frame({ payload: 'hello', isMasked: true }));
    record.onRelayed('toClient', frame({ opcode: 2, payload: Buffer.from([1, 2]) }));
    record.onRelayed('toClient', frame({ opcode: 8, payload: Buffer.from([3, 232]) }));
    const { log } = harOf([await detailOf(record)], '1', () => messagesOf(record, -1)) as {
      log: { entries: { _webSocketMessages: { time: number }[] }[] };
    };
    expect(log.entries[0]).toMatchObject({
      _resourceType: 'websocket',
      _webSocketMessages: [
        { type: 'send', opcode: 1, data: 'hello' },
        { type: 'receive', opcode: 2, data: 'AQI=' },
        { type: 'receive', opcode: 8, data: '1000' },
      ],
    });
    const time = log.entries[0]?._webSocketMessages[0]?.time ?? 0;
    expect(Math.abs(1000 * time - Date.parse((await detailOf(record)).startedAt))).toBeLessThan(1000);
  });

  it('names nothing besides what HAR 1.2 has without an underscore', async () => {
    const { log } = harOf([await viewOf({ method: 'POST', body: Buffer.from([0xff]) })], '1') as {
      log: { entries: { request: { postData: object } }[] };
    };
    const names = Object.keys(log.entries[0]?.request.postData ?? {});
    expect(names.filter((name) => !name.startsWith('_')).sort()).toEqual(['mimeType', 'params', 'text']);
    expect(log.entries[0]?.request.postData).toMatchObject({ text: '/w==', _encoding: 'base64' });
  });

  it('has phases that add up to the whole time', async () => {
    const exchange = {
      ...(await viewOf({})),
      times: { connectedMs: 5, requestEndMs: 2, headMs: 20, endMs: 50 },
      durationMs: 50,
    };
    const { log } = harOf([exchange], '1') as { log: { entries: { timings: Record<string, number> }[] } };
    expect(log.entries[0]?.timings).toEqual({ blocked: -1, connect: 5, send: 0, wait: 15, receive: 30 });
  });
});
