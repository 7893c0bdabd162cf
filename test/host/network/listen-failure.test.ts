import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { GiraffeError } from '../../../src/errors/giraffe-error.ts';
import { listenFailure } from '../../../src/host/network/listen-failure.ts';
import { listeningInodes, portHolder } from '../../../src/host/network/port-holder.ts';

const ports = { proxyPort: 8081, apiPort: 8080, grpcPort: 4444, tunnelPort: 4443 };

function listenError(code: string, port: number): Error {
  return Object.assign(new Error(`listen ${code}`), { code, port, syscall: 'listen' });
}

describe('listenFailure()', () => {
  it('names the port, its use, who holds it, and what changes it', () => {
    const failure = listenFailure(listenError('EADDRINUSE', 4443), ports, () => ({ pid: 7, program: 'nginx' }));
    expect(failure).toMatchObject({
      code: 'GIR_ERR_LISTEN',
      message:
        'cannot listen on port 4443 (TCP tunnel): nginx (pid 7) holds it; --tunnel-port or TUNNEL_PORT picks another port',
    });
  });

  it('finds the cause behind the error of an edge', () => {
    const wrapped = new GiraffeError('GIR_ERR_LISTEN', 'x', { cause: listenError('EACCES', 80) });
    expect(listenFailure(wrapped, { ...ports, proxyPort: 80 })).toMatchObject({
      message: expect.stringMatching(/^cannot listen on port 80 \(proxy\): this user may not/),
    });
  });

  it('says so when two settings name the same port', () => {
    const failure = listenFailure(listenError('EADDRINUSE', 4444), { ...ports, tunnelPort: 4444 }, () => undefined);
    expect(failure).toMatchObject({
      message: expect.stringContaining('(gRPC tunnel and TCP tunnel): both are set to it'),
    });
  });

  it('is honest when the holder cannot be known', () => {
    expect(listenFailure(listenError('EADDRINUSE', 8080), ports, () => undefined)).toMatchObject({
      message: expect.stringContaining('another program holds it'),
    });
  });

  it('leaves every other error as it is', () => {
    const error = new GiraffeError('GIR_ERR_CONFIG', 'x');
    expect(listenFailure(error, ports)).toBe(error);
  });
});

describe('listeningInodes()', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0',
    '   1: 0100007F:1F91 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0',
    '   2: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0',
    '',
  ].join('\n');

  it('finds the listening socket of a port and not the connections to it', () => {
    expect(listeningInodes(table, 8081)).toEqual(['111']);
  });

  it('finds nothing for a port on which nobody listens', () => {
    expect(listeningInodes(table, 8082)).toEqual([]);
  });
});

describe.runIf(process.platform === 'linux')('portHolder()', () => {
  it('finds this very process', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect(portHolder(port)).toMatchObject({ pid: process.pid, program: expect.stringContaining('node') });
    server.close();
  });
});
