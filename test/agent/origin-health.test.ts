import { describe, expect, it, vi } from 'vitest';
import { systemOriginTls } from '../../src/agent/agent-options.ts';
import { OriginHealth } from '../../src/agent/origin-health.ts';
import { OriginDialer } from '../../src/agent/origin-socket.ts';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { parseTarget } from '../../src/http/target.ts';

const failed = new GiraffeError('GIR_ERR_ORIGIN_UNHEALTHY');
const refused = new GiraffeError('GIR_ERR_ORIGIN_REFUSED');
const check = { path: '/healthz', intervalMs: 100, timeoutMs: 50, unhealthyAfter: 2, healthyAfter: 3 };

/** A watch whose looks see `results`, one after the other, and the last one for ever. */
function watch(results: (GiraffeError | undefined)[], healthCheck: typeof check | undefined) {
  const changes: (string | undefined)[] = [];
  const probe = vi.fn(async () => (results.length > 1 ? results.shift() : results[0]));
  const health = new OriginHealth({
    dialer: new OriginDialer(parseTarget('127.0.0.1:1'), systemOriginTls),
    check: healthCheck,
    onChange: (error) => changes.push(error?.code),
    probe,
  });
  return { health, changes, probe };
}

describe('OriginHealth', () => {
  it('P3 is down after the failures in a row that its check names, and up after the successes', async () => {
    vi.useFakeTimers();
    const results = [undefined, failed, undefined, failed, failed, undefined, undefined, failed, undefined];
    const { health, changes, probe } = watch(results, check);
    const down: boolean[] = [];
    health.start();
    for (let look = 0; look < 11; look += 1) {
      await vi.advanceTimersByTimeAsync(look === 0 ? 0 : check.intervalMs);
      down.push(health.isDown);
    }
    expect(down.indexOf(true)).toBe(4);
    expect(down.lastIndexOf(true)).toBe(9);
    expect(changes).toEqual(['GIR_ERR_ORIGIN_UNHEALTHY', undefined]);
    health.end();
    const looks = probe.mock.calls.length;
    await vi.advanceTimersByTimeAsync(1000);
    expect(probe.mock.calls).toHaveLength(looks);
    vi.useRealTimers();
  });

  it('P3 believes exchanges without a check, and looks only until the origin is there again', async () => {
    vi.useFakeTimers();
    const { health, changes, probe } = watch([refused, refused, undefined], undefined);
    health.start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(probe).not.toHaveBeenCalled();
    health.report(refused);
    health.report(refused);
    expect([health.isDown, changes]).toEqual([true, ['GIR_ERR_ORIGIN_REFUSED']]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([health.isDown, changes, probe.mock.calls.length]).toEqual([
      false,
      ['GIR_ERR_ORIGIN_REFUSED', undefined],
      3,
    ]);
    vi.useRealTimers();
  });

  it('does not believe exchanges when there is a check', () => {
    const { health } = watch([undefined], check);
    health.report(refused);
    expect(health.isDown).toBe(false);
  });
});
