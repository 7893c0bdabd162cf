import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { allFailed, edgeFailure, isFinalRefusal } from '../../src/agent/edge-failure.ts';
import { connectFailure } from '../../src/agent/origin-error.ts';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';

describe('edgeFailure()', () => {
  it.each([
    'CERT_HAS_EXPIRED',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('takes %s for a problem of the certificate', (code) => {
    expect(edgeFailure(Object.assign(new Error('no'), { code }), 'edge.test:4443').code).toBe(
      'GIR_ERR_EDGE_CERTIFICATE',
    );
  });

  it('takes everything else for an edge that cannot be reached, and names it', () => {
    const error = edgeFailure(
      Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
      'edge.test:4443',
    );
    expect(error).toMatchObject({ code: 'GIR_ERR_EDGE_UNREACHABLE', message: 'edge.test:4443: connect ECONNREFUSED' });
  });

  it('shows what grpc-js wraps', () => {
    const message =
      '14 UNAVAILABLE: No connection established. Last error: Error: connect ECONNREFUSED ::1:4444 ' +
      '(2026-01-01T00:00:00.000Z). Resolution note: ';
    expect(edgeFailure(new Error(message), 'localhost:4444').message).toBe(
      'localhost:4444: connect ECONNREFUSED ::1:4444',
    );
  });

  it('O6 says how to start an edge where this machine says that none listens', () => {
    const refused = new Error('connect ECONNREFUSED 127.0.0.1:4444');
    for (const address of ['localhost:4444', '127.0.0.1:4444', '[::1]:4444']) {
      expect(edgeFailure(refused, address).fix).toMatch(
        /^No edge runs on this machine: start one with `giraffe server/,
      );
    }
    expect(edgeFailure(refused, 'edge.test:4444').fix).toMatch(/^Check --server/);
    expect(edgeFailure(new Error('read ECONNRESET'), 'localhost:4444').fix).toMatch(/^Check --server/);
  });

  it('O6 says in words that a name cannot be resolved, over TCP as over gRPC', () => {
    const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND edge.test'), { code: 'ENOTFOUND' });
    expect(edgeFailure(unknown, 'edge.test:4443').message).toBe('edge.test:4443: the host name cannot be resolved');
  });

  it.each(['edge', 'origin'] as const)('O6 says in words that no TLS is spoken by an %s', async (side) => {
    const plain = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    onTestFinished(() => void plain.close());
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as AddressInfo;
    const failure = await new Promise<Error>((resolve) => connect({ host: '127.0.0.1', port }).on('error', resolve));
    const told = side === 'edge' ? edgeFailure(failure, 'x:1') : connectFailure(failure, 'tls', 'x:1');
    expect(told.message).toMatch(/^x:1: what listens there does not speak TLS \([a-z ]+\)$/);
  });

  it('O6 says in words what else OpenSSL says', () => {
    const form = (reason: string) =>
      `80F7:error:0A000460:SSL routines:ssl3_read_bytes:${reason}:../ssl/x.c:16:SSL alert\n`;
    const told = (reason: string) => edgeFailure(new Error(form(reason)), 'x:1').message;
    expect(told('tlsv1 alert no application protocol')).toBe(
      'x:1: what listens there speaks TLS, but another protocol over it',
    );
    expect(told('sslv3 alert bad certificate')).toBe('x:1: TLS failed (sslv3 alert bad certificate)');
  });

  it('leaves what the edge said as it is', () => {
    const refusal = new GiraffeError('GIR_ERR_CREDENTIALS_REFUSED');
    expect(edgeFailure(refusal, 'edge.test:4443')).toBe(refusal);
  });
});

describe('allFailed()', () => {
  it('tells about the certificate first, and about both ways', () => {
    const failures = [
      new GiraffeError('GIR_ERR_EDGE_UNREACHABLE', 'refused'),
      new GiraffeError('GIR_ERR_EDGE_CERTIFICATE', 'unknown CA'),
    ];
    expect(allFailed(failures)).toMatchObject({ code: 'GIR_ERR_EDGE_CERTIFICATE', message: 'refused; unknown CA' });
  });
});

describe('allFailed() on this machine', () => {
  const refused = (port: number) => edgeFailure(new Error('connect ECONNREFUSED'), `localhost:${port}`);

  it('O6 says that no edge runs here only when both ports refuse', () => {
    expect(allFailed([refused(4444), refused(4443)]).fix).toMatch(/^No edge runs on this machine/);
    const reset = edgeFailure(new Error('read ECONNRESET'), 'localhost:4443');
    expect(allFailed([refused(4444), reset]).fix).toMatch(/^Check --server/);
  });
});

describe('isFinalRefusal()', () => {
  it('is true for what no further attempt can change, and for nothing else', () => {
    expect(isFinalRefusal(new GiraffeError('GIR_ERR_ENDPOINT_REFUSED'))).toBe(true);
    expect(isFinalRefusal(new GiraffeError('GIR_ERR_TICKET_REFUSED'))).toBe(false);
  });
});
