/** Asks an edge for its health over gRPC, on a TLS connection that is there already. */
import { connect } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { ClockSample } from './clock.ts';

/** What came back. */
export interface HealthAnswer extends ClockSample {
  /** Undefined when it is no answer of an edge. */
  readonly status: 'SERVING' | 'NOT_SERVING' | undefined;
  /** What else was seen. */
  readonly detail: string;
}

const path = '/tunnel.TunnelService/HealthCheck';
/** A gRPC message of no octets: flag and length. */
const emptyMessage = Buffer.alloc(5);
/** HealthCheckResponse as octets: field 1, a varint. */
const statuses: Readonly<Record<string, HealthAnswer['status']>> = { '0801': 'SERVING', '0802': 'NOT_SERVING' };

/**
 * Asks tunnel.TunnelService/HealthCheck.
 *
 * @param now The wall clock, in milliseconds since 1970.
 * @throws The error of the connection, or the reason of `signal`.
 */
export function askHealth(
  socket: TLSSocket,
  host: string,
  now: () => number,
  signal: AbortSignal,
): Promise<HealthAnswer> {
  return new Promise((resolve, reject) => {
    const session = connect(`https://${host.includes(':') ? `[${host}]` : host}`, { createConnection: () => socket });
    const fail = (error: Error): void => {
      session.destroy();
      reject(error);
    };
    signal.addEventListener('abort', () => fail(GiraffeError.from(signal.reason)));
    session.on('error', fail);
    const askedAt = now();
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let answeredAt = askedAt;
    let date: string | undefined;
    let detail = 'no head';
    let grpcStatus: unknown;
    const body: Buffer[] = [];
    stream.on('response', (head) => {
      answeredAt = now();
      date = head.date;
      detail = `status ${head[':status']}, ${head['content-type'] ?? 'no type'}`;
      grpcStatus = head['grpc-status'];
    });
    stream.on('trailers', (trailers) => {
      grpcStatus = trailers['grpc-status'];
    });
    stream.on('data', (chunk: Buffer) => body.push(chunk));
    stream.on('error', fail);
    stream.on('end', () => {
      session.close();
      const message = Buffer.concat(body).subarray(emptyMessage.length).toString('hex');
      const status = grpcStatus === '0' ? statuses[message] : undefined;
      const grpc = grpcStatus === undefined || grpcStatus === '0' ? '' : `, gRPC status ${String(grpcStatus)}`;
      resolve({ askedAt, answeredAt, date, status, detail: detail + grpc });
    });
    stream.end(emptyMessage);
  });
}
