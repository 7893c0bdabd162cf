import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type OriginTls, systemOriginTls } from '../../src/agent/agent-options.ts';
import { probeOrigin } from '../../src/agent/origin-probe.ts';
import { OriginDialer } from '../../src/agent/origin-socket.ts';
import type { Target } from '../../src/http/target.ts';
import { createSelfSigned, type IssuedCertificate } from '../support/client-certificates.ts';
import { createCertificate, testCertificate } from '../support/test-certificate.ts';
import { AgentBench, endpoint } from './agent-bench.ts';

interface TlsOrigin extends AsyncDisposable {
  readonly target: Target;
  /** Names that clients asked for. */
  readonly serverNames: (string | false | null)[];
}

/** Starts an https origin at 127.0.0.1 with a certificate. */
async function startTlsOrigin({ certPem, keyPem }: IssuedCertificate): Promise<TlsOrigin> {
  const serverNames: (string | false | null)[] = [];
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    serverNames.push((request.socket as TLSSocket).servername);
    response.end('over TLS');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    target: { kind: 'tcp', host: '127.0.0.1', port, tls: true },
    serverNames,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends a GET to the origin, and resolves with the status or the code of the failure. */
async function statusOver(target: Target, originTls: OriginTls | undefined): Promise<number | string> {
  using bench = new AgentBench(target, { tunnels: [{ domain: endpoint, target, originTls }] });
  const exchange = bench.open();
  await exchange.until(() => exchange.trailers !== undefined || exchange.error !== undefined, 'an end');
  return exchange.error?.code ?? exchange.heads[0]?.status ?? 'nothing';
}

function trusting(pem: string, serverName?: string): OriginTls {
  return { trust: { kind: 'ca', pem }, serverName };
}

const insecure: OriginTls = { trust: { kind: 'insecure' } };

describe('an https origin with a certificate of a private CA', () => {
  it('is refused by default, and the error says what would do', async () => {
    await using origin = await startTlsOrigin(await testCertificate());
    using bench = new AgentBench(origin.target);
    const exchange = bench.open();
    expect(await exchange.failed()).toBe('GIR_ERR_ORIGIN_CERTIFICATE');
    expect(exchange.error?.entry.fix).toContain('--origin-ca');
    expect(origin.serverNames).toEqual([]);
  });

  it('is served when its CA is trusted, and refused when another one is', async () => {
    await using origin = await startTlsOrigin(await testCertificate());
    expect(await statusOver(origin.target, trusting((await testCertificate()).caPem))).toBe(200);
    expect(await statusOver(origin.target, trusting((await createCertificate()).caPem))).toBe(
      'GIR_ERR_ORIGIN_CERTIFICATE',
    );
  });

  it('is served without verification when that is asked for', async () => {
    await using origin = await startTlsOrigin(await testCertificate());
    expect(await statusOver(origin.target, insecure)).toBe(200);
  });

  it('is looked at by health checks as exchanges look at it', async () => {
    await using origin = await startTlsOrigin(await testCertificate());
    const look = async (tls: OriginTls) => (await probeOrigin(new OriginDialer(origin.target, tls), '/', 5000))?.code;
    expect(await look(systemOriginTls)).toBe('GIR_ERR_ORIGIN_CERTIFICATE');
    expect(await look(trusting((await testCertificate()).caPem))).toBeUndefined();
  });

  it('shares no connection and no state between tunnels that trust differently', async () => {
    await using origin = await startTlsOrigin(await testCertificate());
    const { target } = origin;
    const tunnels = [
      { domain: endpoint, target },
      { domain: 'open.test', target, originTls: insecure },
    ] as const;
    using bench = new AgentBench(target, { tunnels });
    await bench.open({ endpoint: 'open.test' }).answered();
    expect(await bench.open().failed()).toBe('GIR_ERR_ORIGIN_CERTIFICATE');
    expect(bench.acceptor.health.isDown(tunnels[0])).toBe(true);
    expect(bench.acceptor.health.isDown(tunnels[1])).toBe(false);
    await bench.open({ endpoint: 'open.test' }).answered();
  });
});

describe('an https origin with a self-signed certificate for another name than its address', () => {
  it('is refused even when trusted, and says which name it is for', async () => {
    const certificate = await createSelfSigned('nas.test');
    await using origin = await startTlsOrigin(certificate);
    using bench = new AgentBench(origin.target, {
      tunnels: [{ domain: endpoint, target: origin.target, originTls: trusting(certificate.certPem) }],
    });
    expect(await bench.open().failed()).toBe('GIR_ERR_ORIGIN_CERTIFICATE');
    expect(bench.events).toContainEqual(
      expect.objectContaining({ error: expect.objectContaining({ message: expect.stringContaining('DNS:nas.test') }) }),
    );
  });

  it('is served under its name, which is asked for in the handshake', async () => {
    const certificate = await createSelfSigned('nas.test');
    await using origin = await startTlsOrigin(certificate);
    expect(await statusOver(origin.target, trusting(certificate.certPem, 'nas.test'))).toBe(200);
    expect(origin.serverNames).toEqual(['nas.test']);
  });
});
