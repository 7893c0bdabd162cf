import { EventEmitter } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { probeTarget, tunnelTarget } from '../../src/host/agent-target.ts';
import { Lifetimes } from '../../src/host/lifetimes.ts';
import { OriginWatch, OriginWatches } from '../../src/host/origin-watch.ts';
import { listenForSignals } from '../../src/host/shutdown-signals.ts';

describe('Lifetimes', () => {
  it('ends everything once, last first, and throws the first error afterwards', async () => {
    const ended: string[] = [];
    const lifetimes = new Lifetimes();
    lifetimes.defer(() => ended.push('first'));
    lifetimes.defer(() => Promise.reject(new Error('second fails')));
    lifetimes.defer(async () => ended.push('third'));
    await expect(lifetimes[Symbol.asyncDispose]()).rejects.toThrow('second fails');
    await lifetimes[Symbol.asyncDispose]();
    expect(ended).toEqual(['third', 'first']);
  });
});

describe('listenForSignals()', () => {
  function source() {
    const exits: number[] = [];
    const emitter = new EventEmitter();
    return Object.assign(emitter, { exits, exit: (status: number) => exits.push(status) });
  }

  it('asks for a graceful end at the first signal and ends at once at the second', async () => {
    const signals = source();
    const { first } = listenForSignals(signals);
    signals.emit('SIGTERM');
    expect(await first).toBe('SIGTERM');
    expect(signals.exits).toEqual([]);
    signals.emit('SIGINT');
    expect(signals.exits).toEqual([130]);
  });

  it('reloads at each SIGHUP', () => {
    let reloads = 0;
    const signals = source();
    listenForSignals(signals, () => {
      reloads += 1;
    });
    signals.emit('SIGHUP');
    signals.emit('SIGHUP');
    expect(reloads).toBe(2);
  });

  it('leaves no listener behind', () => {
    const signals = source();
    listenForSignals(signals, () => undefined)[Symbol.dispose]();
    expect(signals.eventNames()).toEqual([]);
  });
});

describe('tunnelTarget()', () => {
  it('takes TARGET, --port, or both when they agree', () => {
    const target = { kind: 'tcp', host: 'localhost', port: 3000, tls: false };
    expect([tunnelTarget('3000', undefined), tunnelTarget(undefined, 3000), tunnelTarget('3000', 3000)]).toEqual([
      target,
      target,
      target,
    ]);
  });

  it('refuses neither, naming both', () => {
    expect(() => tunnelTarget(undefined, undefined)).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_USAGE', message: expect.stringMatching(/TARGET.*--port/) }),
    );
  });

  it('refuses two that differ', () => {
    expect(() => tunnelTarget('example.com:3000', 3000)).toThrow(expect.objectContaining({ code: 'GIR_ERR_USAGE' }));
  });
});

describe('probeTarget()', () => {
  it('tells a service that listens from one that does not', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const target = { kind: 'tcp', host: '127.0.0.1', port, tls: false } as const;
    expect(await probeTarget(target)).toBeUndefined();
    await new Promise((resolve) => server.close(resolve));
    expect(await probeTarget(target)).toBe('ECONNREFUSED');
  });

  it('tells that a unix socket is not there', async () => {
    expect(await probeTarget({ kind: 'unix', path: '/nowhere/app.sock' })).toBe('ENOENT');
  });
});

describe('OriginWatch', () => {
  const target = { kind: 'unix', path: '/x' } as const;

  it('says nothing of a service that is there', async () => {
    const said: (string | undefined)[] = [];
    using watch = new OriginWatch(
      target,
      (reason) => said.push(reason),
      async () => undefined,
    );
    await watch.start();
    expect(said).toEqual([]);
  });

  it('tells of each change once, whoever saw it', async () => {
    const said: (string | undefined)[] = [];
    using watch = new OriginWatch(
      target,
      (reason) => said.push(reason),
      async () => 'ENOENT',
    );
    await watch.start();
    watch.report('GIR_ERR_ORIGIN_REFUSED');
    watch.report(undefined);
    watch.report(undefined);
    expect(said).toEqual(['ENOENT', undefined]);
  });

  it('leaves it to the agent to tell when TLS succeeds again: a TCP connection says nothing about it', async () => {
    vi.useFakeTimers();
    const said: (string | undefined)[] = [];
    const probe = vi.fn(async () => undefined);
    using watch = new OriginWatch(target, (reason) => said.push(reason), probe);
    watch.report('GIR_ERR_ORIGIN_CERTIFICATE');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(probe).not.toHaveBeenCalled();
    watch.report(undefined);
    expect(said).toEqual(['GIR_ERR_ORIGIN_CERTIFICATE', undefined]);
    vi.useRealTimers();
  });

  it('is silent once no tunnel has its target any more', () => {
    const said: string[] = [];
    const other = { kind: 'unix', path: '/y' } as const;
    using watches = new OriginWatches([target, other], (name) => said.push(name));
    watches.keep([other]);
    for (const name of ['unix:/x', 'unix:/y']) watches.report(name, 'GIR_ERR_ORIGIN_CERTIFICATE');
    expect(said).toEqual(['unix:/y']);
  });

  it('is silent once it has ended', async () => {
    const said: (string | undefined)[] = [];
    const watch = new OriginWatch(
      target,
      (reason) => said.push(reason),
      async () => 'ENOENT',
    );
    watch[Symbol.dispose]();
    await watch.start();
    watch.report('x');
    expect(said).toEqual([]);
  });
});
