import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../src/doctor/catalogue.ts';
import { type Check, type CheckResult, failed, ok, skipped, warning } from '../../src/doctor/check.ts';
import { type RunOptions, startChecks } from '../../src/doctor/run-checks.ts';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { RunningClock } from '../support/running-clock.ts';

async function run(
  checks: Partial<Record<CheckId, Check>>,
  options: RunOptions = { fix: false },
): Promise<Map<CheckId, CheckResult>> {
  const plan = new Map(Object.entries(checks) as [CheckId, Check][]);
  const results = await Promise.all(startChecks(plan, options).map(({ result }) => result));
  return new Map(results.map((result) => [result.id, result]));
}

const good: Check = async () => ok('fine');
const never: Check = () => new Promise(() => {});
const neverCalled: Check = async () => {
  throw new Error('a skipped check was run');
};

describe('startChecks()', () => {
  it('O5 skips what needs a failed check, and names the one at the root', async () => {
    const results = await run({
      dns: async () => failed('no address'),
      'reach-grpc': neverCalled,
      'tls-grpc': neverCalled,
      alpn: neverCalled,
    });
    for (const id of ['reach-grpc', 'tls-grpc', 'alpn'] as const) {
      expect(results.get(id)).toMatchObject({ status: 'skipped', blockedBy: 'dns', next: undefined });
    }
  });

  it('goes on after a warning, and after a failure that blocks nothing', async () => {
    const results = await run({
      configuration: async () => warning('odd'),
      'state-folder': async () => ({ ...failed('open'), blocks: false }),
      'certificate-files': good,
    });
    expect(results.get('certificate-files')).toMatchObject({ status: 'ok' });
  });

  it('needs only one of several where the table says so', async () => {
    const lost: Check = async () => failed('refused');
    const one = await run({ 'handshake-grpc': lost, 'handshake-tunnel': good, 'round-trip': good });
    expect(one.get('round-trip')).toMatchObject({ status: 'ok' });
    const none = await run({ 'handshake-grpc': lost, 'handshake-tunnel': lost, 'round-trip': neverCalled });
    expect(none.get('round-trip')).toMatchObject({ status: 'skipped', blockedBy: 'handshake-grpc' });
  });

  it('waits for a check that it only comes after, however that goes', async () => {
    const order: string[] = [];
    const results = await run({
      'port-proxy': async () => {
        order.push('port-proxy');
        return ok('free');
      },
      'port-grpc': async () => {
        await Promise.resolve();
        order.push('port-grpc');
        return failed('taken');
      },
    });
    expect(order).toEqual(['port-grpc', 'port-proxy']);
    expect(results.get('port-proxy')).toMatchObject({ status: 'ok' });
  });

  it('ends a check that does not hear its signal, and tells that nothing came', async () => {
    const results = await run({ dns: never }, { fix: false, limits: { checkMs: 20, totalMs: 1000 } });
    expect(results.get('dns')).toMatchObject({ status: 'failed', saw: 'no answer within 0.0 s' });
  });

  it('ends within the time for all checks, however long their chain is', async () => {
    const slow: Check = async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return warning('slow');
    };
    const chain = { dns: slow, 'reach-grpc': slow, 'tls-grpc': slow, alpn: slow, 'grpc-health': slow };
    using clock = new RunningClock();
    await run(chain, { fix: false, limits: { checkMs: 100, totalMs: 200 } });
    expect(clock.ranMs).toBeLessThan(500);
  });

  it('takes the code of an error, and calls any other error a bug', async () => {
    const results = await run({
      dns: async () => {
        throw new GiraffeError('GIR_ERR_STATE', 'cannot read it');
      },
      node: async () => {
        throw new TypeError('x is undefined');
      },
    });
    expect(results.get('dns')).toMatchObject({ status: 'failed', saw: 'cannot read it', code: 'GIR_ERR_STATE' });
    expect(results.get('node')).toMatchObject({
      saw: 'the check itself failed: x is undefined',
      code: 'GIR_ERR_INTERNAL',
    });
  });

  it('mends only when it is asked to, and looks again afterwards', async () => {
    let isBroken = true;
    const check: Check = async () => {
      if (!isBroken) return ok('whole');
      const repair = async (): Promise<string> => {
        isBroken = false;
        return 'mended it';
      };
      return { ...failed('broken'), repair };
    };
    const looked = await run({ 'state-folder': check });
    expect(looked.get('state-folder')).toMatchObject({ status: 'failed', fixed: undefined });
    const mended = await run({ 'state-folder': check }, { fix: true });
    expect(mended.get('state-folder')).toMatchObject({ status: 'ok', saw: 'whole', fixed: 'mended it' });
  });

  it('keeps a failure that could not be mended, with the reason', async () => {
    const repair = async (): Promise<string> => {
      throw new Error('read-only');
    };
    const results = await run({ 'state-folder': async () => ({ ...failed('broken'), repair }) }, { fix: true });
    expect(results.get('state-folder')).toMatchObject({
      status: 'failed',
      saw: 'broken; it could not be fixed: read-only',
    });
  });

  it('has a next step for warnings and failures, and none for the others', async () => {
    const results = await run({ node: async () => warning('old'), dns: async () => skipped('nothing'), clock: good });
    expect(results.get('node')?.next).toContain('Install Node.js');
    expect([results.get('dns')?.next, results.get('clock')?.next]).toEqual([undefined, undefined]);
  });
});
