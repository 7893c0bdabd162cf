/** Which failures a soak lets pass. A rule that is too kind finds nothing. */
import { describe, expect, it } from 'vitest';
import { type Excuse, excuses, noExcuse } from '../../soak/excuse.ts';
import type { Failure } from '../../soak/failure.ts';

const lost: Failure = {
  kind: 'answered',
  status: 502,
  code: 'GIR_ERR_SESSION_LOST',
  proxyStatus: 'giraffe; error=connection_terminated',
};
const noUpstream: Failure = {
  kind: 'answered',
  status: 503,
  code: 'GIR_ERR_NO_UPSTREAM',
  proxyStatus: 'giraffe; error=destination_unavailable',
};
const cut: Failure = { kind: 'cut', detail: 'reset' };
const closed: Failure = { kind: 'closed', detail: 'reset' };
const refused: Failure = { kind: 'refused' };

const onePair: Excuse = { ...noExcuse, lost: ['a'] };
const onlyOne: Excuse = { ...noExcuse, lost: ['a'], away: ['a'] };
const left: Excuse = { ...noExcuse, away: ['a'] };

function passes(excuse: Excuse, failure: Failure, isRepeatable = true, host = 'a'): boolean {
  return excuses(excuse, { host, isRepeatable, failure });
}

describe('excuses()', () => {
  it('lets nothing pass when nothing was taken away', () => {
    for (const failure of [lost, noUpstream, cut, closed, refused]) expect(passes(noExcuse, failure)).toBe(false);
  });

  it('lets no wrong answer and no silence pass, whatever happens', () => {
    const worst: Excuse = { lost: ['a'], away: ['a'], edge: 'dies' };
    expect(passes(worst, { kind: 'wrong', detail: '' })).toBe(false);
    expect(passes(worst, { kind: 'stuck', detail: '' })).toBe(false);
  });

  it('lets a cut pass on the host of an agent that was killed, and on no other', () => {
    expect(passes(onePair, cut)).toBe(true);
    expect(passes(onePair, cut, true, 'b')).toBe(false);
  });

  it('wants what can be sent again to be sent to the other agent', () => {
    expect(passes(onePair, lost)).toBe(false);
    expect(passes(onePair, lost, false)).toBe(true);
    expect(passes(onlyOne, lost)).toBe(true);
  });

  it('lets nothing in flight fail when an agent takes leave, and what comes later only without another one', () => {
    expect(passes(left, noUpstream)).toBe(true);
    for (const failure of [lost, cut, closed]) expect(passes(left, failure, false)).toBe(false);
  });

  it('lets an edge that takes leave refuse, and cut nothing', () => {
    const leaves: Excuse = { ...noExcuse, edge: 'leaves' };
    for (const failure of [refused, closed, noUpstream]) expect(passes(leaves, failure)).toBe(true);
    expect(passes(leaves, cut)).toBe(false);
    expect(passes({ ...noExcuse, edge: 'dies' }, cut)).toBe(true);
  });

  it('wants the status and the Proxy-Status of the code, and without a body at least those', () => {
    expect(passes(left, { ...noUpstream, status: 502 })).toBe(false);
    expect(passes(left, { ...noUpstream, proxyStatus: '' })).toBe(false);
    expect(passes(left, { ...noUpstream, code: undefined })).toBe(true);
    expect(passes(left, { ...noUpstream, code: undefined, proxyStatus: '' })).toBe(false);
  });
});
