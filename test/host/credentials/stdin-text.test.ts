import { describe, expect, it } from 'vitest';
import { readText } from '../../../src/host/credentials/stdin-text.ts';

describe('readText()', () => {
  it('joins chunks that cut a character', async () => {
    const bytes = Buffer.from('grf_ä');
    expect(await readText(chunks(bytes.subarray(0, 5), bytes.subarray(5)))).toBe('grf_ä');
  });

  it('hardening, bounded: reads no more of an endless stream than shows that it is neither token nor password', async () => {
    const endless = chunks(...Array.from({ length: 1000 }, () => Buffer.alloc(1024, 'x')));
    expect((await readText(endless)).length).toBe(17 * 1024);
  });
});

async function* chunks(...all: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* all;
}
