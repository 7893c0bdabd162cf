import { describe, expect, it } from 'vitest';
import { isLoopbackAddress, isLoopbackName } from '../../src/http/loopback.ts';

describe('what is this machine', () => {
  it.each(['localhost', 'app.localhost', 'a.b.localhost', 'LOCALHOST.'])('%s by its name', (host) => {
    expect([isLoopbackName(host), isLoopbackAddress(host)]).toEqual([true, false]);
  });

  it.each(['127.0.0.1', '127.1.2.3', '::1', '[::1]'])('%s by its address', (host) => {
    expect([isLoopbackName(host), isLoopbackAddress(host)]).toEqual([false, true]);
  });

  it.each(['notlocalhost', 'localhost.test', '128.0.0.1', '127.0.0.1.test', '::2', '0.0.0.0', ''])(
    '%s is not',
    (host) => {
      expect([isLoopbackName(host), isLoopbackAddress(host)]).toEqual([false, false]);
    },
  );
});
