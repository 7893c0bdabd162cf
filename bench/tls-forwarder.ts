/**
 * The yardstick for bulk: plain TCP in, TLS between two processes, plain TCP out, nothing looked at.
 * `near PORT` forwards plain connections into TLS to PORT, `far PORT CERT KEY` takes TLS and forwards to PORT.
 */
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';

const [role, port, cert = '', key = ''] = process.argv.slice(2);

function join(a: Socket, b: Socket): void {
  a.setNoDelay(true);
  b.setNoDelay(true);
  a.pipe(b);
  b.pipe(a);
  a.on('error', () => b.destroy());
  b.on('error', () => a.destroy());
}

const server =
  role === 'near'
    ? createServer((socket) => join(socket, connectTls({ port: Number(port), rejectUnauthorized: false })))
    : createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) =>
        join(socket, connect(Number(port), '127.0.0.1')),
      );

server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
