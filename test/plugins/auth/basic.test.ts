import { beforeAll, describe, expect, it } from 'vitest';
import type { AuthProvider, RoutingRequest } from '../../../src/extension/index.ts';
import { basic, createBasicProvider } from '../../../src/plugins/auth/basic.ts';
import { hashPassword } from '../../../src/state/password-hash.ts';

const signal = new AbortController().signal;
let annHash = '';
beforeAll(async () => {
  annHash = await hashPassword('s3:cret');
});

function provider(options: object = {}, now: () => number = () => 0): AuthProvider {
  return createBasicProvider(basic.options.parse({ users: { ann: annHash }, ...options }), now);
}

function visit(to: AuthProvider, authorization: string | undefined, host = 'app.test', limit = signal) {
  const request: RoutingRequest = { method: 'GET', host, path: '/', fields: [], isUpgrade: false, clientAddress: '' };
  return to.authorizeVisitor?.(request, authorization, limit);
}

const credentials = (text: string, scheme = 'Basic'): string => `${scheme} ${Buffer.from(text).toString('base64')}`;
const denied = { kind: 'deny', challenge: 'Basic realm="giraffe", charset="UTF-8"' };
const allowed = { kind: 'allow', consumesAuthorization: true };

describe('basic', () => {
  it('lets a user with the right password in, whatever the case of the scheme', async () => {
    expect(await visit(provider(), credentials('ann:s3:cret'))).toEqual(allowed);
    expect(await visit(provider(), credentials('ann:s3:cret', 'bASIC'))).toEqual(allowed);
  });

  it.each([
    ['none at all', undefined],
    ['a wrong password', credentials('ann:secret')],
    ['an empty password', credentials('ann:')],
    ['an unknown user with the right password', credentials('bob:s3:cret')],
    ['the name of an object property', credentials('__proto__:s3:cret')],
    ['no colon', credentials('ann')],
    ['another scheme', credentials('ann:s3:cret', 'Bearer')],
    ['no base64', 'Basic ann:s3:cret'],
    ['nothing behind the scheme', 'Basic '],
  ])('asks for a password when there is %s', async (_case, authorization) => {
    expect(await visit(provider(), authorization)).toEqual(denied);
  });

  it('has no say about other endpoints', async () => {
    const some = provider({ endpoints: ['*.private.test'], realm: 'The private side' });
    expect(await visit(some, undefined)).toEqual({ kind: 'unknown' });
    expect(await visit(some, undefined, 'a.private.test')).toMatchObject({
      challenge: 'Basic realm="The private side", charset="UTF-8"',
    });
  });

  it('remembers a right password for five minutes, and no wrong one', async () => {
    let nowMs = 0;
    const checked = provider({}, () => nowMs);
    const right = credentials('ann:s3:cret');
    expect(await visit(checked, right)).toEqual(allowed);
    const answer = visit(checked, right);
    const hashing = visit(checked, credentials('ann:wrong'));
    expect(await Promise.race([answer, hashing])).toEqual(allowed);
    expect(await hashing).toEqual(denied);
    nowMs = 300_000;
    expect(await visit(checked, right)).toEqual(allowed);
  });

  it('checks a password once when many ask at the same time', async () => {
    const checked = provider();
    const answers = Array.from({ length: 100 }, () => visit(checked, credentials('ann:s3:cret')));
    expect(await Promise.all(answers)).toEqual(Array(100).fill(allowed));
  });

  it('does not give up for all who ask the same when the edge gives up one of them', async () => {
    const busy = provider();
    const first = [1, 2].map((n) => visit(busy, credentials(`ann:wrong${n}`)));
    const abort = new AbortController();
    const late = visit(busy, credentials('ann:s3:cret'), 'app.test', abort.signal);
    const inTime = visit(busy, credentials('ann:s3:cret'));
    abort.abort(new Error('too late'));
    await expect(late).rejects.toThrow('too late');
    expect(await inTime).toEqual(allowed);
    await Promise.all(first);
  });

  it('S5 gives up waiting for its turn when the edge does', async () => {
    const busy = provider();
    const first = [1, 2].map((n) => visit(busy, credentials(`ann:wrong${n}`)));
    const abort = new AbortController();
    const waiting = visit(busy, credentials('ann:wrong'), 'app.test', abort.signal);
    abort.abort(new Error('too late'));
    await expect(waiting).rejects.toThrow('too late');
    expect(await Promise.all(first)).toEqual([denied, denied]);
    expect(await visit(busy, credentials('ann:s3:cret'))).toEqual(allowed);
  });

  it.each([
    ['no user', { users: {} }],
    ['a plain password', { users: { ann: 'secret' } }],
    [
      'a user name with a colon',
      { users: { 'a:b': `$scrypt$ln=15,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$${'B'.repeat(43)}` } },
    ],
    ['a realm that breaks out of its quotes', { realm: 'a", x="b' }],
    ['an endpoint that is none', { endpoints: ['a b'] }],
    ['an unknown option', { user: 'ann' }],
  ])('refuses %s in its options, without quoting it', (_case, options) => {
    const { error } = basic.options.safeParse({ users: { ann: annHash }, ...options });
    expect(error).toBeDefined();
    expect(error?.message).not.toContain('secret');
  });
});
