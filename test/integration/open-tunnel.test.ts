/** `openTunnel()` that waits to be ready: what can never become ready is not waited for. */
import { describe, expect, it } from 'vitest';
import { openTunnel } from '../../src/embed/open-tunnel.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { startTestEdge, type TestEdge, testToken } from '../support/world.ts';

/** Opens a tunnel that is never ready; resolves with why it is not opened. */
async function openWaiting({ edge }: TestEdge): Promise<unknown> {
  const { caPem } = await testCertificate();
  const opening = openTunnel({
    target: await freePort(),
    server: `localhost:${edge.ports.grpc}`,
    token: testToken,
    ca: caPem,
    domain: 'a.test',
    waitReady: 'origin',
    timeoutMs: 600_000,
  });
  return opening.catch((error: unknown) => error);
}

describe('openTunnel()', () => {
  it('O6 rejects at once when its tunnel is disconnected before it is ready', async () => {
    await using server = await startTestEdge();
    const opening = openWaiting(server);
    await eventually('its session', () => server.edge.sessions()[0]?.mode === 'hybrid');
    expect(server.edge.disconnect('a.test')).toBe(1);
    expect(await opening).toMatchObject({ code: 'GIR_ERR_DISCONNECTED' });
  });

  it('O6 rejects at once when it is refused for good before it is ready', async () => {
    await using server = await startTestEdge();
    const opening = openWaiting(server);
    await eventually('its session', () => server.edge.sessions()[0]?.mode === 'hybrid');
    server.edge.changeAuthProviders([]);
    expect(await opening).toMatchObject({ code: 'GIR_ERR_CREDENTIALS_REFUSED' });
  });
});
