import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { probeTarget, tunnelTarget } from '../../../src/host/agent/agent-target.ts';

describe('tunnelTarget()', () => {
  it('takes TARGET, --port, or both when they agree', () => {
    const target = { kind: 'tcp', host: 'localhost', port: 3000, tls: false };
    expect([tunnelTarget('3000', undefined), tunnelTarget(undefined, 3000), tunnelTarget('3000', 3000)]).toEqual([
      target,
      target,
      target,
    ]);
  });

  it('refuses neither, naming both', () => {
    expect(() => tunnelTarget(undefined, undefined)).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_USAGE', message: expect.stringMatching(/TARGET.*--port/) }),
    );
  });

  it('refuses two that differ', () => {
    expect(() => tunnelTarget('example.com:3000', 3000)).toThrow(expect.objectContaining({ code: 'GIR_ERR_USAGE' }));
  });
});

describe('probeTarget()', () => {
  it('tells a service that listens from one that does not', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const target = { kind: 'tcp', host: '127.0.0.1', port, tls: false } as const;
    expect(await probeTarget(target)).toBeUndefined();
    await new Promise((resolve) => server.close(resolve));
    expect(await probeTarget(target)).toBe('ECONNREFUSED');
  });

  it('tells that a unix socket is not there', async () => {
    expect(await probeTarget({ kind: 'unix', path: '/nowhere/app.sock' })).toBe('ENOENT');
  });
});
