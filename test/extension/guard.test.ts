import { describe, expect, it } from 'vitest';
import { ExtensionGuard, type ExtensionId } from '../../src/extension/guard.ts';

const strategy: ExtensionId = { kind: 'routing-strategy', name: 'mine' };
const provider: ExtensionId = { kind: 'auth-provider', name: 'mine' };
const broken = new Error('no database');
const breaks = (): never => {
  throw broken;
};

describe('ExtensionGuard', () => {
  it('passes on what extensions answer, and counts nothing', async () => {
    const guard = new ExtensionGuard();
    expect(guard.call(strategy, () => 1)).toBe(1);
    expect(await guard.ask(provider, 1000, async () => 2)).toBe(2);
    expect(guard.metric().samples).toEqual([]);
  });

  it('turns a throw into a coded error that names the extension, with its cause, and counts it', async () => {
    const guard = new ExtensionGuard();
    const fault = { code: 'GIR_ERR_EXTENSION_FAULT', cause: broken };
    expect(() => guard.call(strategy, breaks)).toThrow(
      expect.objectContaining({ ...fault, message: 'the routing-strategy mine failed' }),
    );
    await expect(guard.ask(provider, 1000, breaks)).rejects.toMatchObject(fault);
    await expect(guard.ask(provider, 1000, async () => breaks())).rejects.toMatchObject(fault);
    expect(guard.metric()).toMatchObject({
      name: 'giraffe_extension_faults_total',
      samples: [
        { labels: { kind: 'routing-strategy', name: 'mine' }, value: 1 },
        { labels: { kind: 'auth-provider', name: 'mine' }, value: 2 },
      ],
    });
  });

  it('gives an answer that does not come a deadline, tells the extension, and counts it', async () => {
    const guard = new ExtensionGuard();
    let told: unknown;
    const stalls = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => (told = signal.reason));
      return new Promise<never>(() => {});
    };
    const late = expect.objectContaining({ message: 'no answer within 5 ms' });
    await expect(guard.ask(provider, 5, stalls)).rejects.toMatchObject({
      code: 'GIR_ERR_EXTENSION_FAULT',
      cause: late,
    });
    expect(told).toEqual(late);
    expect(guard.metric().samples).toEqual([{ labels: { kind: 'auth-provider', name: 'mine' }, value: 1 }]);
  });
});
