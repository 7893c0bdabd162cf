import { describe, expect, it } from 'vitest';
import { Lifetimes } from '../../../src/host/lifecycle/lifetimes.ts';

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
