import { describe, expect, it, vi } from 'vitest';
import { OriginWatch, OriginWatches } from '../../../src/host/agent/origin-watch.ts';

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
