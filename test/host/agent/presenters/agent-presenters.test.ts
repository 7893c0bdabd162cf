import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AgentEvent, TransportChoice } from '../../../../src/agent/agent-options.ts';
import { GiraffeError } from '../../../../src/errors/giraffe-error.ts';
import type { LocalApiUrls } from '../../../../src/host/agent/local-api.ts';
import { HumanPresenter, modeLine } from '../../../../src/host/agent/presenters/human-presenter.ts';
import { createJsonPresenter } from '../../../../src/host/agent/presenters/json-presenter.ts';
import { StartupList } from '../../../../src/host/agent/presenters/startup-list.ts';
import type { Output } from '../../../../src/host/terminal/output.ts';

const refused = new GiraffeError('GIR_ERR_EDGE_UNREACHABLE', 'connect ECONNREFUSED 127.0.0.1:4444');
const connecting = { type: 'connecting', attempt: 1 } as const;
const grpcUp = { type: 'carrier', carrier: 'grpc', error: undefined } as const;
const grpcDown = { type: 'carrier', carrier: 'grpc', error: refused } as const;
const tlsUp = { type: 'carrier', carrier: 'tls', error: undefined } as const;
const tlsDown = { type: 'carrier', carrier: 'tls', error: refused } as const;
const tunnels = [
  { name: undefined, domain: 'app.test', url: 'http://app.test', target: 'http://localhost:3000' },
] as const;
const ready = { type: 'ready', mode: 'hybrid', reason: undefined, tunnels } as const;
const lost = { type: 'reconnecting', error: refused, delayMs: 1234 } as const;
const closed = { type: 'closed', error: undefined } as const;

function recordingOutput(): Output & { readonly outLines: string[]; readonly errLines: string[] } {
  const outLines: string[] = [];
  const errLines: string[] = [];
  return {
    outLines,
    errLines,
    isInteractive: false,
    out: (line) => void outLines.push(line),
    err: (line) => void errLines.push(line),
  };
}

/** What is shown besides events. */
interface ShownBesides {
  readonly localApi?: LocalApiUrls;
  readonly origins?: readonly { readonly target: string; readonly reason: string | undefined }[];
}

/** Shows events to people without a terminal, and returns what was printed. */
async function shown(
  events: readonly AgentEvent[],
  transport: TransportChoice = 'auto',
  { localApi, origins = [] }: ShownBesides = {},
) {
  const output = recordingOutput();
  const stderr = new Writable({
    write: (chunk, _encoding, done) => {
      output.errLines.push(...String(chunk).trimEnd().split('\n'));
      done();
    },
  });
  const list = new StartupList(stderr as unknown as NodeJS.WriteStream, false);
  const presenter = new HumanPresenter({ output, list, transport, server: 'localhost:4444', showsRequests: true });
  if (localApi !== undefined) presenter.showLocalApi(localApi);
  for (const event of events) presenter.show(event);
  for (const { target, reason } of origins) presenter.showOrigin(target, reason);
  await presenter.settled();
  await presenter.settled();
  return { err: output.errLines, out: output.outLines };
}

describe('HumanPresenter', () => {
  it('O1 tells the start of a hybrid tunnel line by line, and the URL on stdout', async () => {
    const { err, out } = await shown([connecting, grpcUp, tlsUp, ready, closed]);
    expect(err).toEqual([
      '✔ Starting tunnel establishment',
      '❯ Establishing gRPC tunnel for HTTP traffic',
      '✔ gRPC tunnel established: unlimited HTTP concurrency',
      '❯ Establishing TCP tunnel for WebSocket traffic',
      '✔ WebSocket tunnel established',
      '✔ HYBRID MODE ACTIVE: gRPC (HTTP) + TCP (WebSocket)',
    ]);
    expect(out).toEqual(['http://app.test -> http://localhost:3000']);
  });

  it('O1 tells why it falls back to TCP', async () => {
    const fallback = { ...ready, mode: 'tcp', reason: 'gRPC is blocked' } as const;
    const { err } = await shown([connecting, grpcDown, tlsUp, fallback, closed]);
    expect(err).toContain('✔ TCP FALLBACK MODE: gRPC is blocked');
    expect(err.join('\n')).not.toMatch(/gRPC tunnel established|HYBRID/);
    expect(err.join('\n')).toContain('ECONNREFUSED');
  });

  it('O1 promises no WebSocket tunnel that is not there', async () => {
    const { err } = await shown([connecting, grpcUp, { ...ready, mode: 'grpc', reason: 'no TCP' }, closed]);
    expect(err.join('\n')).not.toMatch(/WebSocket tunnel established|HYBRID/);
    expect(err).toContain('✔ GRPC ONLY MODE: no TCP');
  });

  it('O1 does not speak of a tunnel that was not asked for', async () => {
    const { err } = await shown([connecting, tlsUp, { ...ready, mode: 'tcp', reason: 'chosen' }, closed], 'tcp');
    expect(err.join('\n')).not.toContain('gRPC tunnel for HTTP');
  });

  it('says once per attempt that there is no edge, and the next step once', async () => {
    const { err } = await shown([
      connecting,
      grpcDown,
      tlsDown,
      lost,
      { type: 'connecting', attempt: 2 },
      grpcDown,
      tlsDown,
      lost,
      closed,
    ]);
    expect(err.filter((line) => line.includes('next attempt in 1.2 s'))).toHaveLength(2);
    expect(err.filter((line) => line.includes('Check --server'))).toHaveLength(1);
    expect(err.filter((line) => line.includes('Establishing gRPC'))).toHaveLength(2);
  });

  it('tells a reason once: what the list or the line before has said is not said again', async () => {
    const other = new GiraffeError('GIR_ERR_EDGE_UNREACHABLE', 'connect ETIMEDOUT');
    const again = { type: 'connecting', attempt: 2 } as const;
    const { err } = await shown([connecting, grpcDown, tlsDown, lost, again, lost, again, { ...lost, error: other }]);
    expect(err.filter((line) => line.includes('next attempt'))).toEqual([
      'No tunnel to localhost:4444 yet (GIR_ERR_EDGE_UNREACHABLE); next attempt in 1.2 s',
      'No tunnel to localhost:4444 yet; next attempt in 1.2 s',
      'No tunnel to localhost:4444 yet: connect ETIMEDOUT (GIR_ERR_EDGE_UNREACHABLE); next attempt in 1.2 s',
    ]);
  });

  it('tells why a tunnel was lost that served', async () => {
    const { err } = await shown([connecting, grpcUp, tlsUp, ready, lost]);
    expect(err).toContain(`The tunnel is down: ${refused.message} (GIR_ERR_EDGE_UNREACHABLE); next attempt in 1.2 s`);
  });

  it('tells that the edge has closed a tunnel, and prints the ones that are left no second time', async () => {
    const second = { ...tunnels[0], domain: 'b.test', url: 'http://b.test' };
    const error = new GiraffeError('GIR_ERR_DISCONNECTED', 'the operator of the edge has disconnected app.test');
    const both = { ...ready, tunnels: [...tunnels, second] };
    const withdrawn = { type: 'withdrawn', ...tunnels[0], name: 'app', error } as const;
    const { err, out } = await shown([
      connecting,
      grpcUp,
      tlsUp,
      both,
      withdrawn,
      lost,
      { ...ready, tunnels: [second] },
    ]);
    const why = 'the operator of the edge has disconnected app.test (GIR_ERR_DISCONNECTED)';
    const line = err.indexOf(`http://app.test is closed: ${why}`);
    expect(err[line + 1]).toBe(
      '  Ask the operator; `giraffe tunnel app` with the same settings opens that one again, unless its token was revoked.',
    );
    expect(out).toEqual(['http://app.test -> http://localhost:3000', 'http://b.test -> http://localhost:3000']);
  });

  it('tells once where requests and figures can be seen', async () => {
    const url = 'http://127.0.0.1:4041';
    const { err } = await shown([connecting, grpcUp, tlsUp, ready, lost, ready], 'auto', {
      localApi: { apiUrl: url, inspectUrl: url },
    });
    expect(err.filter((line) => line === `Requests and figures: ${url}`)).toHaveLength(1);
    const without = await shown([connecting, grpcUp, tlsUp, ready], 'auto', {
      localApi: { apiUrl: url, inspectUrl: undefined },
    });
    expect(without.err).toContain(`Figures: ${url}/api/v1/stats`);
  });

  it('tells what was established in a later attempt', async () => {
    const { err } = await shown([
      connecting,
      grpcDown,
      tlsDown,
      lost,
      { type: 'connecting', attempt: 2 },
      grpcUp,
      tlsUp,
      ready,
    ]);
    expect(err).toContain('✔ gRPC tunnel established: unlimited HTTP concurrency');
    expect(err).toContain('✔ WebSocket tunnel established');
  });

  it('shows the URL again after a reconnect only when it is another one', async () => {
    const { out } = await shown([connecting, grpcUp, tlsUp, ready, lost, connecting, grpcUp, tlsUp, ready, closed]);
    expect(out).toHaveLength(1);
  });

  it('ends an open step when it is closed before the tunnel serves', async () => {
    const { err } = await shown([connecting, closed]);
    expect(err.join('\n')).toContain('stopped');
  });

  it('O1 says what is wrong with a service and what to do, and claims no silence where something answers', async () => {
    const target = 'https://localhost:3000';
    const reasons = ['ECONNREFUSED', 'GIR_ERR_ORIGIN_CERTIFICATE', undefined];
    const origins = reasons.map((reason) => ({ target, reason }));
    const { err } = await shown([connecting, grpcUp, tlsUp, ready, closed], 'auto', { origins });
    expect(err.slice(-3)).toEqual([
      `Nothing answers at ${target} (ECONNREFUSED): requests get an error page until it does.`,
      expect.stringMatching(/^Requests to .*: The certificate of the origin is not trusted\. .*--origin-ca/),
      `${target} is there.`,
    ]);
  });

  it('S7 prints neither control characters nor tokens of others', async () => {
    const path = `/\u001b[2J\r\nFAKE?${`grf_${'a'.repeat(43)}`}`;
    const request = { type: 'request', method: 'GET', path, domain: 'app.test', status: 200, code: undefined } as const;
    const outcome = { detail: undefined, durationMs: 1.2, carrier: 'grpc' } as const;
    const { err } = await shown([connecting, grpcUp, tlsUp, ready, { ...request, ...outcome }, closed]);
    expect(err.at(-1)).toBe('GET /\\u001b[2J\\r\\nFAKE?[redacted] 200 1 ms gRPC');
  });

  it.each([
    [undefined, 'GIR_ERR_ORIGIN_REFUSED', 'nobody\nlistens', '502 GIR_ERR_ORIGIN_REFUSED 1 ms gRPC (nobody\\nlistens)'],
    [200, 'GIR_ERR_ORIGIN_CLOSED', 'cut off', '200 GIR_ERR_ORIGIN_CLOSED 1 ms gRPC (cut off)'],
    [undefined, 'GIR_ERR_CANCELLED', 'the client left', 'GIR_ERR_CANCELLED 1 ms gRPC'],
    [404, undefined, undefined, '404 1 ms gRPC'],
  ])('tells a request that fails in one line: status %j, code %j', async (status, code, detail, text) => {
    const request = { type: 'request', method: 'GET', path: '/', domain: 'app.test', carrier: 'grpc' } as const;
    const { err } = await shown([connecting, ready, { ...request, status, code, detail, durationMs: 1 }]);
    expect(err.at(-1)).toBe(`GET / ${text}`);
  });
});

describe('HumanPresenter, when a tunnel is lost', () => {
  it('O1 says nothing of a fallback that is the end of the session', async () => {
    const drained = new GiraffeError('GIR_ERR_DRAINING', 'the edge is shutting down');
    const fallback = { type: 'mode', mode: 'tcp', reason: 'Connection dropped' } as const;
    const reconnecting = { type: 'reconnecting', error: drained, delayMs: 500 } as const;
    const { err } = await shown([connecting, grpcUp, tlsUp, ready, fallback, reconnecting]);
    expect(err.slice(-2)).toEqual([
      '✔ HYBRID MODE ACTIVE: gRPC (HTTP) + TCP (WebSocket)',
      'The tunnel is down: the edge is shutting down (GIR_ERR_DRAINING); next attempt in 0.5 s',
    ]);
  });

  it('O1 tells a fallback that lasts, and its end', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const output = recordingOutput();
    const list = new StartupList(new Writable() as unknown as NodeJS.WriteStream, false);
    const presenter = new HumanPresenter({ output, list, transport: 'auto', server: 'edge', showsRequests: true });
    presenter.show({ type: 'mode', mode: 'tcp', reason: 'gRPC is blocked' });
    await vi.advanceTimersByTimeAsync(1000);
    presenter.show({ type: 'mode', mode: 'hybrid', reason: undefined });
    await vi.advanceTimersByTimeAsync(1000);
    expect(output.errLines).toEqual([
      'TCP FALLBACK MODE: gRPC is blocked',
      'HYBRID MODE ACTIVE: gRPC (HTTP) + TCP (WebSocket)',
    ]);
  });
});

describe('modeLine()', () => {
  it('has a reason for each mode that is not hybrid', () => {
    expect([modeLine('tcp', undefined), modeLine('grpc', undefined)]).toEqual([
      'TCP FALLBACK MODE: the gRPC tunnel is not in use',
      'GRPC ONLY MODE: the TCP tunnel is not in use',
    ]);
  });
});

describe('createJsonPresenter()', () => {
  it('O6 writes a versioned line of JSON per event', () => {
    const output = recordingOutput();
    const presenter = createJsonPresenter(output);
    for (const event of [connecting, grpcUp, tlsUp, ready, lost, closed]) presenter.show(event);
    presenter.showOrigin('http://localhost:3000', 'ECONNREFUSED');
    expect(output.outLines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { v: 1, event: 'connecting', attempt: 1 },
      { v: 1, event: 'ready', url: 'http://app.test', domain: 'app.test', mode: 'hybrid', tunnels },
      { v: 1, event: 'reconnecting', code: 'GIR_ERR_EDGE_UNREACHABLE', message: refused.message, delayMs: 1234 },
      { v: 1, event: 'closed' },
      { v: 1, event: 'origin', target: 'http://localhost:3000', reachable: false, reason: 'ECONNREFUSED' },
    ]);
    expect(output.errLines).toEqual([]);
  });
});
