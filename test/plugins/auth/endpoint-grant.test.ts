import { describe, expect, it } from 'vitest';
import { endpointTemplate, grantedEndpoints } from '../../../src/plugins/auth/endpoint-grant.ts';

const claims: Readonly<Record<string, string>> = {
  owner: 'Acme',
  repository: 'acme/web',
  star: '*',
  dotted: 'a.b',
  empty: '',
  dash: '-a',
};

const granted = (...templates: string[]): readonly string[] => grantedEndpoints(templates, (name) => claims[name]);

describe('grantedEndpoints()', () => {
  it('keeps patterns without placeholders', () => {
    expect(granted('*', 'app.test', '*.app.test')).toEqual(['*', 'app.test', '*.app.test']);
  });

  it('fills in values that are one label of a host', () => {
    expect(granted('{owner}.ci.test', 'x-{owner}.test', '*.{owner}.test')).toEqual([
      'acme.ci.test',
      'x-acme.test',
      '*.acme.test',
    ]);
  });

  it.each(['repository', 'star', 'dotted', 'empty', 'dash', 'absent'])(
    'S2 grants nothing for a value that is no label (%s), so that nobody gets the name of another',
    (name) => {
      expect(granted(`{${name}}.ci.test`, 'own.test')).toEqual(['own.test']);
    },
  );
});

describe('endpointTemplate', () => {
  it.each(['*', 'a.test', '*.a.test', '{a}.test', '{a.b}.test', '{a}-{b}.test'])('takes %s', (text) => {
    expect(endpointTemplate.safeParse(text).success).toBe(true);
  });

  it.each(['', 'a b', '*.*.test', 'http://a.test', 'a.test:80', '{}.test', '{a.test'])('refuses %j', (text) => {
    expect(endpointTemplate.safeParse(text).success).toBe(false);
  });
});
