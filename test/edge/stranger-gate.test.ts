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
  const nameless = (): Socket[] => entered.filter(({ remoteAddress }) => remoteAddress === undefined);
  // Whether the server's turn or the reset comes first is for the system to say; of twenty, most resets are first.
  for (let opened = 20; nameless().length === 0; opened += 20) {
    for (let index = 0; index < 20; index += 1) {
      const client = connect(port);
      client.on('error', () => {});
      client.on('connect', () => client.resetAndDestroy());
    }
    while (entered.length < opened) await once(server, 'connection');
  }
  expect(nameless().every(({ destroyed }) => destroyed)).toBe(true);
  gate.close();
  server.close();
});
