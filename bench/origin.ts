/** The origin under all measurements: `/bytes/N` answers N octets, POST is read and counted. Prints its port. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const piece = Buffer.alloc(64 * 1024, 'x');

const server = createServer((request, response) => {
  if (request.method === 'POST') {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => response.end(String(bytes)));
    return;
  }
  let left = Number(request.url?.split('/').at(-1) ?? 0);
  response.setHeader('Content-Length', left);
  if (left <= piece.length) {
    response.end(piece.subarray(0, left));
    return;
  }
  const write = (): void => {
    while (left > 0) {
      const part = left >= piece.length ? piece : piece.subarray(0, left);
      left -= part.length;
      if (!response.write(part)) {
        response.once('drain', write);
        return;
      }
    }
    response.end();
  };
  write();
});

server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
