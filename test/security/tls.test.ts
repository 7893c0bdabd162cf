/** S1 and hardening 6: what the tunnel ports agree to, and whom the agent believes. */
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { ensureServerCertificate, type ServerCertificate } from '../../src/state/certificates.ts';
import { openStateFolder } from '../../src/state/state-folder.ts';
import { connectForgedTls, helloFrame, wire } from '../support/forged-carrier.ts';
import { converse, rawClient } from '../support/raw-client.ts';
import { plainAnswer, startRecordingOrigin } from '../support/recording-origin.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { startTestAgent, startTestEdge, type TestEdge } from '../support/world.ts';

const tunnelPorts = [
  { name: '4443 (TCP tunnel)', port: (edge: TestEdge) => edge.edge.ports.tunnel, alpn: 'giraffe' },
  { name: '4444 (gRPC)', port: (edge: TestEdge) => edge.edge.ports.grpc, alpn: 'h2' },
] as const;

/** Resolves with the secured socket; rejects with the TLS error. */
function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, servername: 'localhost', ...options });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed in the handshake')));
  });
}

/** Another CA and a certificate of it, which nobody here trusts. */
async function foreignCertificate(names = ['localhost', '127.0.0.1', '::1']): Promise<ServerCertificate> {
  const path = await mkdtemp(join(tmpdir(), 'giraffe-foreign-'));
  await using folder = await openStateFolder(path);
  const made = await ensureServerCertificate(folder, { names, now: Date.now });
  await rm(path, { recursive: true });
  return made;
}

describe.each(tunnelPorts)('TLS on port $name', ({ port, alpn }) => {
  it.each(['TLSv1', 'TLSv1.1'] as const)('S1 %s is refused', async (version) => {
    await using edge = await startTestEdge();
    const attempt = handshake(port(edge), {
      minVersion: version,
      maxVersion: version,
      ciphers: 'DEFAULT@SECLEVEL=0',
      ALPNProtocols: [alpn],
    });
    await expect(attempt).rejects.toMatchObject({ code: expect.stringMatching(/PROTOCOL_VERSION|ECONNRESET/) });
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('S1 %s is accepted', async (version) => {
    await using edge = await startTestEdge();
    const socket = await handshake(port(edge), { minVersion: version, maxVersion: version, ALPNProtocols: [alpn] });
    expect(socket.getProtocol()).toBe(version);
    expect(socket.alpnProtocol).toBe(alpn);
    socket.destroy();
  });

  it('hardening 6: a suite with authenticated encryption and forward secrecy is accepted', async () => {
    await using edge = await startTestEdge();
    const socket = await handshake(port(edge), {
      maxVersion: 'TLSv1.2',
      ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256@SECLEVEL=0',
      ALPNProtocols: [alpn],
    });
    expect(socket.getCipher().name).toBe('ECDHE-ECDSA-AES128-GCM-SHA256');
    socket.destroy();
  });

  it.each([
    'ECDHE-ECDSA-AES128-SHA256',
    'ECDHE-ECDSA-AES256-SHA',
    'ECDHE-RSA-AES128-SHA256',
    'AES128-SHA',
    'AES128-GCM-SHA256',
    'NULL',
  ])('hardening 6: the suite %s, without authenticated encryption or forward secrecy, is refused', async (ciphers) => {
    await using edge = await startTestEdge();
    const attempt = handshake(port(edge), {
      maxVersion: 'TLSv1.2',
      ciphers: `${ciphers}@SECLEVEL=0`,
      ALPNProtocols: [alpn],
    });
    await expect(attempt).rejects.toThrow();
  });

  it('hardening 6: a client that asks for renegotiation does not get it', async () => {
    await using edge = await startTestEdge();
    const socket = await handshake(port(edge), { maxVersion: 'TLSv1.2', ALPNProtocols: [alpn] });
    const refusal = new Promise<Error>((resolve) => {
      socket.on('error', resolve);
      socket.on('close', () => resolve(new Error('closed')));
      socket.renegotiate({}, (error) => resolve(error ?? new Error('it was granted')));
    });
    expect((await refusal).message).toMatch(/no renegotiation|closed/i);
    socket.destroy();
  });

  it('S1 another protocol than the port speaks is refused in the handshake', async () => {
    await using edge = await startTestEdge();
    await expect(handshake(port(edge), { ALPNProtocols: ['http/1.1'] })).rejects.toThrow();
  });

  it('S1 octets that are no TLS harm nobody', async () => {
    await using edge = await startTestEdge();
    const answer = await converse(port(edge), `GET / HTTP/1.1\r\nHost: a\r\n\r\n${'\x16\x03\x01\xff\xff'.repeat(100)}`);
    expect(answer).not.toContain('HTTP/1.1 ');
    const socket = await handshake(port(edge), { ALPNProtocols: [alpn] });
    socket.destroy();
  });
});

describe('whom the agent believes', () => {
  it.each(['auto', 'grpc', 'tcp'] as const)(
    'S1 an edge whose CA is unknown is refused by default (transport %s), before the token is sent',
    async (transport) => {
      const tokens: string[] = [];
      await using edge = await startTestEdge(
        {},
        {
          authenticate: async (token) => {
            tokens.push(token);
            return undefined;
          },
        },
      );
      await using agent = await startTestAgent(edge.edge.ports, 'a.test', '1', {
        trust: { kind: 'system' },
        transport,
        waits: false,
      });
      agent.agent.ready.catch(() => {});
      const { error } = await agent.event('reconnecting');
      expect(error.code).toBe('GIR_ERR_EDGE_CERTIFICATE');
      expect(tokens).toEqual([]);
    },
  );

  it('S1 an edge with a certificate of another CA than the configured one is refused', async () => {
    const { certPem, keyPem } = await foreignCertificate();
    await using edge = await startTestEdge({}, { certificate: { certPem, keyPem } });
    await using agent = await startTestAgent(edge.edge.ports, 'a.test', '1', { waits: false });
    agent.agent.ready.catch(() => {});
    expect((await agent.event('reconnecting')).error.code).toBe('GIR_ERR_EDGE_CERTIFICATE');
  });

  it('S1 a certificate of the right CA for another name is refused, and the names are told', async () => {
    const { certPem, keyPem, caPem } = await foreignCertificate(['edge.example.com']);
    await using edge = await startTestEdge({}, { certificate: { certPem, keyPem } });
    await using agent = await startTestAgent(edge.edge.ports, 'a.test', '1', {
      trust: { kind: 'ca', pem: caPem },
      waits: false,
    });
    agent.agent.ready.catch(() => {});
    const { error } = await agent.event('reconnecting');
    expect(error.code).toBe('GIR_ERR_EDGE_CERTIFICATE');
    expect(error.message).toContain('edge.example.com');
  });

  it.each(['auto', 'grpc', 'tcp'] as const)(
    'S1 the pin of the edge’s CA is enough (transport %s)',
    async (transport) => {
      const { caFingerprint } = await testCertificate();
      await using edge = await startTestEdge();
      await using origin = await startRecordingOrigin();
      await using _agent = await startTestAgent(edge.edge.ports, 'a.test', `127.0.0.1:${origin.port}`, {
        trust: { kind: 'pin', pin: caFingerprint },
        transport,
      });
      const answer = await converse(
        edge.edge.ports.proxy,
        'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n',
      );
      expect(answer).toContain('HTTP/1.1 200');
    },
  );

  it('S1 another pin is refused', async () => {
    await using edge = await startTestEdge();
    await using agent = await startTestAgent(edge.edge.ports, 'a.test', '1', {
      trust: { kind: 'pin', pin: `sha256:${'0'.repeat(64)}` },
      waits: false,
    });
    agent.agent.ready.catch(() => {});
    expect((await agent.event('reconnecting')).error.code).toBe('GIR_ERR_EDGE_CERTIFICATE');
  });

  it('S1 a chain that only shows the pinned CA, without being signed by it, is refused', async () => {
    const { caPem, caFingerprint } = await testCertificate();
    const foreign = await foreignCertificate();
    const leaf = new X509Certificate(foreign.certPem).toString();
    const forged = { certPem: `${leaf}\n${caPem}`, keyPem: foreign.keyPem };
    expect(createHash('sha256').update(new X509Certificate(caPem).raw).digest('hex')).toBe(caFingerprint.slice(7));
    await using edge = await startTestEdge({}, { certificate: forged });
    await using agent = await startTestAgent(edge.edge.ports, 'a.test', '1', {
      trust: { kind: 'pin', pin: caFingerprint },
      waits: false,
    });
    agent.agent.ready.catch(() => {});
    expect((await agent.event('reconnecting')).error.code).toBe('GIR_ERR_EDGE_CERTIFICATE');
  });

  it('S1 insecure accepts any certificate', async () => {
    const { certPem, keyPem } = await foreignCertificate(['elsewhere.example']);
    await using edge = await startTestEdge({}, { certificate: { certPem, keyPem } });
    await using origin = await startRecordingOrigin(plainAnswer);
    await using _agent = await startTestAgent(edge.edge.ports, 'a.test', `127.0.0.1:${origin.port}`, {
      trust: { kind: 'insecure' },
    });
    const answer = await converse(edge.edge.ports.proxy, 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    expect(answer).toContain('HTTP/1.1 200');
  });
});

describe('a new certificate while agents are connected', () => {
  it('S1 serves new connections at once and leaves open ones alone', async () => {
    await using edge = await startTestEdge();
    using before = await connectForgedTls(edge.edge.ports.tunnel);
    before.send(helloFrame());
    await before.frame(wire.welcome);
    const foreign = await foreignCertificate();
    edge.edge.reload(foreign);
    const socket = await handshake(edge.edge.ports.tunnel, {
      ca: foreign.caPem,
      rejectUnauthorized: true,
      ALPNProtocols: ['giraffe'],
    });
    expect(socket.authorized).toBe(true);
    socket.destroy();
    using client = await rawClient(edge.edge.ports.proxy, '', { halfOpen: false });
    client.send('GET / HTTP/1.1\r\nHost: forged.test\r\n\r\n');
    await before.frame(wire.head);
  });
});
