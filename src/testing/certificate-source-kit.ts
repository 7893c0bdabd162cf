/** What every certificate source must keep, whatever it has. */
import assert from 'node:assert/strict';
import type { CertificateSource } from '../extension/index.ts';
import { type ConformanceCheck, withInstance } from './conformance.ts';

/** Names that clients may ask for, whatever is served. */
const strangeNames = ['unknown.test', '__proto__', '..', `${'x'.repeat(300)}.test`, ''];

/** Returns the checks for a source. @param make Makes an instance, with options of your choice. */
export function certificateSourceKit(
  make: () => Promise<CertificateSource & Partial<AsyncDisposable>>,
): readonly ConformanceCheck[] {
  return [
    {
      name: 'has no certificate, no proof and no answer for names and tokens that it does not know',
      run: () =>
        withInstance(make, (source) => {
          for (const name of strangeNames) {
            assert.equal(source.certificateFor(name), undefined);
            assert.equal(source.challengeCertificateFor?.(name), undefined);
            assert.equal(source.challengeAnswerFor?.(name), undefined);
          }
        }),
    },
    {
      name: 'takes any name that is served, again and again, at once',
      run: () =>
        withInstance(make, (source) => {
          for (const names of [['localhost', '127.0.0.1', '[::1]'], [], ['localhost']]) {
            assert.equal(source.want(names), undefined);
          }
        }),
    },
  ];
}
