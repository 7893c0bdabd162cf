/** Hardening 14: what clients, agents and edges say never breaks out of its log line, nor speaks to a terminal. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../src/host/logging/create-logger.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { eventually } from '../support/eventually.ts';
import { connectForgedGrpc, connectForgedTls, helloFrame, plainHello, wire } from '../support/forged-carrier.ts';
import { startForgedEdge } from '../support/forged-edge.ts';
import { converse } from '../support/raw-client.ts';
import { rawFrame } from '../support/raw-frames.ts';
import { startRecordingOrigin } from '../support/recording-origin.ts';
import { startTestAgent, startTestEdge, testToken } from '../support/world.ts';

const forgedLine = '{"level":30,"time":1,"msg":"forged"}';
/** Everything that a log reader or a terminal might obey, in Latin-1 and beyond. */
const evil = `\r\n${forgedLine}\n\0\x1b[2J\x1b]0;pwned\x07\x7f\x85\x9b31m\u2028${forgedLine}\u2029\u202eevil\u2066`;
/** The part of it that may stand in a request target. */
const evilPath = '/\x85\x9b31m\x80/%0d%0a%1b';

interface LogFile extends AsyncDisposable {
  readonly logger: Logger;
  /** Resolves with everything that was logged before the call. */
  read(): Promise<string>;
}

async function logFile(logFormat: 'json' | 'pretty'): Promise<LogFile> {
  const folder = await mkdtemp(join(tmpdir(), 'giraffe-log-'));
  const path = join(folder, 'giraffe.log');
  const { logger } = createLogger({ logFormat, logLevel: 'debug', logFile: path });
  return {
    logger,
    read: async () => {
      const mark = `mark ${performance.now()}`;
      logger.info({}, mark);
      let text = '';
      await eventually('the log is written', async () => {
        text = await readFile(path, 'utf8').catch(() => '');
        return text.includes(mark);
      });
      return text;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** Control characters, line ends and direction marks, but for the line feed at the end of each log line. */
const unwanted = /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

function expectClean(text: string): void {
  expect(text).not.toMatch(unwanted);
  for (const line of text.trimEnd().split('\n')) expect(line).not.toBe(forgedLine);
}

function expectJsonLines(text: string): void {
  const lines = text.trimEnd().split('\n');
  for (const line of lines)
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number), msg: expect.any(String) });
  expect(lines.filter((line) => JSON.parse(line).msg === 'forged')).toEqual([]);
}

describe.each(['json', 'pretty'] as const)('the log in the form %s', (form) => {
  it('hardening 14: clients cannot write lines or speak to the terminal', async () => {
    await using log = await logFile(form);
    await using edge = await startTestEdge({ reconnectGraceMs: 0 }, { logger: log.logger });
    const { proxy } = edge.edge.ports;
    const close = '\r\nConnection: close\r\n\r\n';
    const requests = [
      `GET ${evilPath} HTTP/1.1\r\nHost: a.test${close}`,
      `G!#$%&'*+-.^_|~T ${evilPath} HTTP/1.1\r\nHost: a.test${close}`,
      `GET / HTTP/1.1\r\nHost: a.test\r\nX-Request-Id: \x85\x9b${close}`,
      `GET / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: \x85\x9b\t${close}`,
      `GET /${evil} HTTP/1.1\r\nHost: a.test${close}`,
      `GET / HTTP/1.1\r\nHost: ${evil}${close}`,
      `GET / HTTP/1.1\r\nHost: a.test\r\n${evil}: 1${close}`,
      `${evil} / HTTP/1.1\r\nHost: a.test${close}`,
    ];
    for (const request of requests) await converse(proxy, Buffer.from(request, 'latin1'));
    const text = await log.read();
    expectClean(text);
    expect(text).toContain('%0d%0a%1b');
  });

  it('hardening 14: agents cannot either: names, reasons, software, endpoints, tickets', async () => {
    await using log = await logFile(form);
    await using edge = await startTestEdge({ reconnectGraceMs: 0 }, { logger: log.logger });
    const { tunnel, grpc } = edge.edge.ports;
    const hellos = [
      helloFrame({ software: evil.slice(0, 90) }),
      helloFrame({ agentId: evil.slice(0, 60) }),
      helloFrame({ endpoints: [evil] }),
      helloFrame({ endpoints: [`x${evil.slice(2, 60)}.test`] }),
      helloFrame({ token: evil }),
      helloFrame({ ticket: evil.slice(0, 90) }),
      rawFrame(wire.hello, 0, 0, evil),
      rawFrame(wire.hello, 0, 0, JSON.stringify({ ...plainHello, [evil]: evil, endpoints: [{ [evil]: 1 }] })),
      rawFrame(wire.goAway, 0, 0, `GIR_ERR_DRAINING\n${evil}`),
      rawFrame(wire.goAway, 0, 0, evil),
    ];
    for (const hello of hellos) {
      for (const carrier of [await connectForgedTls(tunnel), await connectForgedGrpc(grpc)]) {
        carrier.send(hello);
        await eventually('an answer', () => carrier.frames.length > 0 || carrier.isClosed);
        carrier.send(rawFrame(wire.goAway, 0, 0, `${evil}\n${evil}`), rawFrame(wire.reset, 0, 77, evil));
        await eventually('the end', () => carrier.isClosed);
      }
    }
    expectClean(await log.read());
  });

  it('hardening 14: what an agent says of a failed exchange stays in its line', async () => {
    await using log = await logFile(form);
    await using edge = await startTestEdge({ reconnectGraceMs: 0 }, { logger: log.logger });
    using carrier = await connectForgedTls(edge.edge.ports.tunnel);
    carrier.send(helloFrame());
    await carrier.frame(wire.welcome);
    const answer = converse(
      edge.edge.ports.proxy,
      Buffer.from(
        `POST ${evilPath} HTTP/1.1\r\nHost: forged.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
        'latin1',
      ),
    );
    const { id } = await carrier.frame(wire.head);
    carrier.send(rawFrame(wire.reset, 0, id, `GIR_ERR_ORIGIN_REFUSED\n${evil}`));
    const text = await answer;
    expect(text).toContain('HTTP/1.1 502');
    // Nor does the client see what the agent made up.
    expect(text).not.toContain('forged"');
    const written = await log.read();
    expect(written).toContain('GIR_ERR_ORIGIN_REFUSED');
    expectClean(written);
  });

  it('hardening 14: edges cannot write into the log of an agent', async () => {
    await using log = await logFile(form);
    await using origin = await startRecordingOrigin(`HTTP/1.1 200 \x85\x9b31m\r\nX: \x85\r\nContent-Length: 0\r\n\r\n`);
    await using edge = await startForgedEdge('a.test');
    await using _agent = await startTestAgent(edge.ports, 'a.test', `127.0.0.1:${origin.port}`, {
      transport: 'tcp',
      logger: log.logger,
      backoff: { firstMs: 1, maxMs: 5 },
    });
    const latin = Buffer.from(evil, 'latin1').toString('latin1').replaceAll('\n', '');
    const heads = [
      `GET / 1 - 65536 ${latin.replaceAll(' ', '')}`,
      `GET ${latin.replaceAll(' ', '')} 1 - 65536 a.test\nHost:a.test`,
      `GET ${evilPath} 1 - 65536 a.test\nHost:a.test`,
      `GET / 1 - 65536 a.test ${latin}\nHost:a.test`,
      `GET / 1 - 65536 a.test\nHost:${latin}`,
    ];
    const carrier = await edge.next();
    for (const [index, head] of heads.entries()) {
      carrier.send(rawFrame(wire.head, 1, index + 1, Buffer.from(head, 'latin1')));
      await eventually('an answer', () => carrier.isClosed || carrier.frames.some(({ id }) => id === index + 1));
    }
    carrier.send(rawFrame(wire.goAway, 0, 0, `GIR_ERR_DRAINING\n${evil}`));
    await edge.next();
    expectClean(await log.read());
  });
});

describe('the log as JSON', () => {
  it('hardening 14: each line is one event, and the token of an agent is in none', async () => {
    await using log = await logFile('json');
    await using edge = await startTestEdge({ reconnectGraceMs: 0 }, { logger: log.logger });
    await using origin = await startRecordingOrigin();
    await using _agent = await startTestAgent(edge.edge.ports, 'a.test', `127.0.0.1:${origin.port}`, {
      logger: log.logger,
    });
    const request = `GET ${evilPath}?secret=query HTTP/1.1\r\nHost: a.test\r\nCookie: secret=cookie\r\nAuthorization: Bearer secret-bearer\r\nConnection: close\r\n\r\n`;
    await converse(edge.edge.ports.proxy, Buffer.from(request, 'latin1'));
    const text = await log.read();
    expectJsonLines(text);
    expectClean(text);
    for (const secret of [testToken, 'secret=query', 'secret=cookie', 'secret-bearer'])
      expect(text).not.toContain(secret);
  });
});
