import { describe, expect, it } from 'vitest';
import { programName } from '../../../src/host/network/port-holder.ts';

describe('programName()', () => {
  const own = '/opt/checkout/bin/run.js';

  it.each<[string, readonly string[]]>([
    ['nginx: master process nginx', ['nginx: master process nginx']],
    ['caddy', ['/usr/bin/caddy', 'run', '--token', 'secret']],
    ['giraffe server start', ['/usr/bin/node', '/usr/local/bin/giraffe', 'server', 'start', '--token', 'secret']],
    ['giraffe server start', ['node', '--max-old-space-size=64', own, 'server', 'start']],
    ['giraffe tunnel', ['node', '/srv/node_modules/giraffe-tunnel/bin/run.js', 'tunnel', '3000', '--', 'server']],
    ['giraffe', ['node', own, '--token=secret']],
    ['node vite.js', ['node', '/app/node_modules/.bin/vite.js', 'secret']],
    ['python3 manage.py', ['/usr/bin/python3', 'manage.py', 'runserver']],
    ['node', ['node', '-e', 'the whole program']],
    ['node', ['node']],
    ['', ['']],
  ])('is %j', (name, words) => {
    expect(programName(words, own)).toBe(name);
  });
});
