import { describe, expect, it } from 'vitest';
import { benchSettings } from '../../../src/config/bench-settings.ts';
import { type FlagValues, resolveSettings } from '../../../src/config/setting.ts';
import { type BenchPlan, benchPlan } from '../../../src/host/bench/bench-plan.ts';

function planOf(flags: FlagValues, url?: string): BenchPlan {
  return benchPlan(url, resolveSettings(benchSettings, flags, {}), []);
}

describe('benchPlan()', () => {
  it('loads a tunnel of its own for ten seconds when nothing is said', () => {
    expect(planOf({})).toMatchObject({
      target: undefined,
      ways: ['hybrid'],
      rounds: 1,
      load: { concurrency: 50, durationMs: 10_000, method: 'GET', sentBytes: 0, answerBytes: 1024, warmUpMs: 1000 },
    });
    expect(planOf({}).load.maxRequests).toBeUndefined();
  });

  it('warms nothing up at a URL, whose owner may count requests', () => {
    expect(planOf({ requests: '10' }, 'http://app.test/').load).toMatchObject({
      warmUpMs: 0,
      maxRequests: 10,
      durationMs: undefined,
    });
  });

  it('sends bodies up with --upload, and messages with --websocket or a ws URL', () => {
    expect(planOf({ upload: true, 'body-size': '2KiB' }).load).toMatchObject({
      method: 'POST',
      sentBytes: 2048,
      answerBytes: 0,
    });
    expect(planOf({ websocket: true }).load).toMatchObject({ isWebSocket: true, sentBytes: 1024 });
    expect(planOf({ 'body-size': '5' }, 'ws://app.test/').load).toMatchObject({ isWebSocket: true, sentBytes: 5 });
  });

  it('compares each way once, in three rounds', () => {
    expect(planOf({ compare: 'tcp,direct,tcp' })).toMatchObject({
      ways: ['tcp', 'direct'],
      isComparison: true,
      rounds: 3,
    });
    expect(planOf({ compare: 'grpc' })).toMatchObject({ ways: ['grpc'], isComparison: false, rounds: 1 });
  });

  it.each<[FlagValues, string | undefined, string]>([
    [{ compare: 'grpc' }, 'http://app.test/', '--compare starts its own'],
    [{ scenario: 'abort' }, 'http://app.test/', '--scenario starts its own'],
    [{ 'body-size': '1KiB' }, 'http://app.test/', '--body-size with a URL needs --upload'],
    [{ upload: true, websocket: true }, undefined, '--upload and --websocket exclude each other'],
    [{ websocket: true, method: 'PUT' }, undefined, '--method and --websocket exclude'],
    [{ 'no-keep-alive': true }, 'ws://app.test/', '--no-keep-alive and --websocket exclude'],
    [{ rounds: '2' }, undefined, '--rounds needs --compare'],
    [{ compare: '' }, undefined, '--compare names no way'],
    [{ insecure: true }, 'http://app.test/', '--ca and --insecure are for an https'],
    [{ ca: 'x.pem' }, undefined, '--ca and --insecure are for an https'],
    [{ scenario: 'reconnect', rate: '5' }, undefined, '--rate does nothing with --scenario reconnect'],
    [{ scenario: 'many-idle', duration: '5s' }, undefined, '--duration does nothing with --scenario many-idle'],
  ])('refuses %j with the URL %s', (flags, url, message) => {
    expect(() => planOf(flags, url)).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_USAGE', message: expect.stringContaining(message) }),
    );
  });

  it('says all that is wrong at once', () => {
    expect(() => planOf({ compare: 'grpc', scenario: 'abort' }, 'http://app.test/')).toThrow(
      expect.objectContaining({
        problems: [expect.stringContaining('--compare'), expect.stringContaining('--scenario'), expect.anything()],
      }),
    );
  });
});
