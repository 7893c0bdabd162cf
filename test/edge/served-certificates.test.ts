import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ServedCertificates } from '../../src/edge/served-certificates.ts';
import { ExtensionGuard } from '../../src/extension/guard.ts';
import { recordingLogger } from '../support/world.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('a certificate source hears every hour what is served then, until the ports are closed', () => {
  const heard: (readonly string[])[] = [];
  const source = { want: (names: readonly string[]) => heard.push(names), certificateFor: () => undefined };
  const certificates = new ServedCertificates({ name: 'test', source }, new ExtensionGuard(), recordingLogger().logger);
  let served = ['a.test'];
  const wanting = certificates.keepWanting(() => served);
  served = ['a.test', 'b.test'];
  vi.advanceTimersByTime(3_600_000);
  expect(heard).toEqual([['a.test'], ['a.test', 'b.test']]);
  wanting[Symbol.dispose]();
  vi.advanceTimersByTime(3_600_000);
  expect(heard).toHaveLength(2);
});
