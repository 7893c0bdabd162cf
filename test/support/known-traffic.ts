/** Traffic of which every request and octet is known, for tests of what tells figures. */
import { eventually } from './eventually.ts';
import { HttpClient } from './http-client.ts';
import { type Origin, onRequestHead, startHttpOrigin, startSocketOrigin } from './origins.ts';
import { rawClient, requestText } from './raw-client.ts';

/** Answers /ten with 10 octets, echoes bodies, breaks off at /die and says nothing at /hang. */
export function startKnownOrigin(): Promise<Origin> {
  return startHttpOrigin((request, response) => {
    const path = request.url ?? '';
    if (path.endsWith('/ten')) response.end('0123456789');
    else if (path.endsWith('/die')) request.socket.destroy();
    else if (!path.endsWith('/hang')) request.pipe(response);
  });
}

/** Switches protocols and echoes. */
export function startUpgradeOrigin(): Promise<Origin> {
  return startSocketOrigin((socket) => {
    onRequestHead(socket, () => {
      socket.removeAllListeners('data');
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
  });
}

/**
 * Sends ten exchanges of every kind: 5 over gRPC of which one fails, 4 over TCP of which two fail, one for nobody.
 *
 * @param parent Above the domains `app`, of the known origin, and `up`, of the one for upgrades.
 * @param inFlight Returns how many exchanges are in flight at the edge.
 */
export async function sendKnownTraffic(
  proxy: number,
  parent: string,
  inFlight: () => number | Promise<number>,
): Promise<void> {
  using client = new HttpClient(proxy, `app.${parent}`);
  using stranger = new HttpClient(proxy, `nobody.${parent}`);
  for (let sent = 0; sent < 4; sent += 1) await client.get('/ten');
  await client.send('POST', '/die', 'data');
  await client.send('POST', '/ws/echo', Buffer.alloc(1000));
  await client.send('POST', '/ws/die', 'data');
  await stranger.get('/');
  const hanging = client.open('GET', '/ws/hang');
  hanging.outgoing.end();
  await eventually('the hanging one is in flight', async () => (await inFlight()) === 1);
  hanging.outgoing.destroy();
  const fields = ['Connection: Upgrade', 'Upgrade: websocket'];
  using relay = await rawClient(proxy, requestText('GET', '/chat', `up.${parent}`, fields));
  await relay.until('\r\n\r\n');
  relay.socket.write('hello');
  await relay.until('hello');
  relay.socket.end();
  await relay.ended;
  await eventually('nothing is in flight', async () => (await inFlight()) === 0);
}
