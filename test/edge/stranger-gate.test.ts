import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { StrangerGate } from '../../src/edge/stranger-gate.ts';

it('does not keep connections that were reset before they came in, none of which has a name any more', async () => {
  const gate = new StrangerGate(1000, 60_000);
  const entered: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    entered.push(socket);
    gate.enter(socket);
  }).listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const count = 20;
  for (let index = 0; index < count; index += 1) {
    const client = connect(port);
    client.on('error', () => {});
    client.on('connect', () => client.resetAndDestroy());
  }
  while (entered.length < count) await once(server, 'connection');
  const nameless = entered.filter(({ remoteAddress }) => remoteAddress === undefined);
  expect(nameless.length).toBeGreaterThan(0);
  expect(nameless.every(({ destroyed }) => destroyed)).toBe(true);
  gate.close();
  server.close();
});
