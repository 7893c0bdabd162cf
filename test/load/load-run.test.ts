/** The driver with callers that are no sockets: pace, time limit, coordinated omission, stop. */
import { describe, expect, it } from 'vitest';
import type { Caller, Done } from '../../src/load/caller.ts';
import { loadFigures } from '../../src/load/load-figures.ts';
import { LoadRecord } from '../../src/load/load-record.ts';
import { LoadRun, type LoadRunOptions } from '../../src/load/load-run.ts';
import { closedLoop, openLoop } from '../../src/load/pace.ts';

/** Answers after a time of its own choice; undefined never answers. */
class FakeCaller implements Caller {
  calls = 0;
  aborts = 0;
  readonly #answer: (call: number) => number | undefined;

  constructor(answer: (call: number) => number | undefined) {
    this.#answer = answer;
  }

  async open(): Promise<void> {}

  call(done: Done): void {
    this.calls += 1;
    const delayMs = this.#answer(this.calls);
    if (delayMs !== undefined) setTimeout(() => done(200, undefined), delayMs);
  }

  abort(): void {
    this.aborts += 1;
  }

  close(): void {}
}

function callersThat(count: number, answer: (call: number) => number | undefined): FakeCaller[] {
  return Array.from({ length: count }, () => new FakeCaller(answer));
}

const requests = (maxRequests: number): Pick<LoadRunOptions, 'pace' | 'isOpenLoop'> => ({
  isOpenLoop: false,
  pace: (startMs) => closedLoop(startMs, { maxRequests, untilMs: undefined }),
});

const perSecond = (rate: number, durationMs: number): Pick<LoadRunOptions, 'pace' | 'isOpenLoop'> => ({
  isOpenLoop: true,
  pace: (startMs) => openLoop(startMs, rate, { maxRequests: undefined, untilMs: startMs + durationMs }),
});

describe('LoadRun', () => {
  it('sends exactly as many requests as wanted, one at a time per caller', async () => {
    const callers = callersThat(7, () => 0);
    const record = new LoadRecord();
    await new LoadRun({ callers, record, timeoutMs: 1000, ...requests(100) }).run();
    expect(record.succeeded).toBe(100);
    expect(callers.reduce((sum, { calls }) => sum + calls, 0)).toBe(100);
  });

  it('ends at once when nothing is wanted', async () => {
    const record = new LoadRecord();
    await new LoadRun({ callers: callersThat(2, () => 0), record, timeoutMs: 1000, ...requests(0) }).run();
    expect(loadFigures(record).requests).toBe(0);
  });

  it('fails what takes longer than its time, gives the call up, and goes on', async () => {
    const callers = callersThat(2, (call) => (call === 2 ? undefined : 0));
    const record = new LoadRecord();
    await new LoadRun({ callers, record, timeoutMs: 60, ...requests(10) }).run();
    expect(record.errors).toEqual(new Map([['timeout', 2]]));
    expect(record.succeeded).toBe(8);
    expect(callers.map(({ aborts }) => aborts)).toEqual([1, 1]);
  });

  it('counts the latencies of an open loop from the intended start, so that one stall is felt by all that wait', async () => {
    // One connection; its first answer takes 300 ms, in which 30 requests become due.
    const callers = callersThat(1, (call) => (call === 1 ? 300 : 0));
    const record = new LoadRecord();
    await new LoadRun({ callers, record, timeoutMs: 5000, ...perSecond(100, 500) }).run();
    const { requests: sent, latencyMs } = loadFigures(record);
    expect(sent).toBe(50);
    expect(latencyMs?.max).toBeGreaterThanOrEqual(295);
    // Were it measured from the real start, all but one would be near 0.
    expect(latencyMs?.p50).toBeGreaterThan(50);
  });

  it('fails what an open loop could not send in time', async () => {
    const record = new LoadRecord();
    const callers = callersThat(1, () => undefined);
    await new LoadRun({ callers, record, timeoutMs: 100, ...perSecond(100, 200) }).run();
    expect(record.succeeded).toBe(0);
    expect(record.failed).toBe(20);
    expect(record.errors.get('not-sent')).toBeGreaterThan(0);
  });

  it('stops at once, and does not count what is under way', async () => {
    const callers = callersThat(3, () => undefined);
    const record = new LoadRecord();
    const run = new LoadRun({ callers, record, timeoutMs: 60_000, ...requests(100) });
    const ended = run.run();
    run.stop();
    await ended;
    expect(loadFigures(record)).toMatchObject({ requests: 0, failed: 0 });
    expect(callers.map(({ aborts }) => aborts)).toEqual([1, 1, 1]);
  });

  it('does not spin on a target that refuses connections', async () => {
    const callers = [new RefusedCaller()];
    const record = new LoadRecord();
    const pace = (startMs: number) => closedLoop(startMs, { maxRequests: undefined, untilMs: startMs + 200 });
    await new LoadRun({ callers, record, timeoutMs: 1000, isOpenLoop: false, pace }).run();
    expect(record.failed).toBeGreaterThan(0);
    expect(record.failed).toBeLessThanOrEqual(5);
  });
});

class RefusedCaller extends FakeCaller {
  constructor() {
    super(() => 0);
  }

  override call(done: Done): void {
    setImmediate(() => done(0, 'refused'));
  }
}
