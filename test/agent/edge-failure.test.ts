import { describe, expect, it } from 'vitest';
import { allFailed, edgeFailure, isFinalRefusal } from '../../src/agent/edge-failure.ts';
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

describe('isFinalRefusal()', () => {
  it('is true for what no further attempt can change, and for nothing else', () => {
    expect(isFinalRefusal(new GiraffeError('GIR_ERR_ENDPOINT_REFUSED'))).toBe(true);
    expect(isFinalRefusal(new GiraffeError('GIR_ERR_TICKET_REFUSED'))).toBe(false);
  });
});
