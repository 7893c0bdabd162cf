import { describe, expect, it } from 'vitest';
import { EdgeSession, type SessionIdentity } from '../../src/edge/edge-session.ts';

const identity: SessionIdentity = {
  id: 'session',
  principal: { id: 'test:a', endpoints: ['*'], expiresAt: undefined, source: { provider: 'test', principal: 'a' } },
  agentId: 'agent-12345678',
  generation: 1,
  run: 'test:a agent-12345678',
  endpoints: ['a.test'],
  passing: [],
  canWithdraw: true,
  openedAt: new Date(0),
  labels: [],
  weight: 1,
};

describe('the places of a session', () => {
  it('wakes who waits longest when one is free, and nobody else', () => {
    const session = new EdgeSession(identity, () => 1);
    const woken: string[] = [];
    expect(session.takePlace()).toBe(true);
    for (const name of ['first', 'second']) session.waitForPlace(() => woken.push(name) && session.takePlace());
    session.givePlace();
    expect([woken, session.takePlace()]).toEqual([['first'], false]);
  });

  it('wakes the next one when somebody goes elsewhere with what was free', () => {
    const session = new EdgeSession(identity, () => 1);
    const woken: string[] = [];
    session.takePlace();
    session.waitForPlace(() => woken.push('goes elsewhere'));
    session.waitForPlace(() => woken.push('stays') && session.takePlace());
    session.waitForPlace(() => woken.push('has to wait'));
    session.givePlace();
    expect(woken).toEqual(['goes elsewhere', 'stays']);
  });
});
