/** The yardstick for requests: the simplest reverse proxy in Node, `node:http` in front and undici behind. No tunnel. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 128, pipelining: 1 });

const server = createServer((request, response) => {
  const hasBody = request.method === 'POST';
  pool.stream(
    {
      path: request.url ?? '/',
      method: request.method as 'GET',
      headers: request.headers,
      body: hasBody ? request : null,
    },
    ({ statusCode, headers }) => {
      response.writeHead(statusCode, headers as Record<string, string>);
      return response;
    },
    (error) => {
      if (error) response.destroy();
    },
  );
});

server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
