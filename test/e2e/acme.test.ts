/** Certificates from a real ACME CA: Debian's pebble. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type PeerCertificate } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { FrontServer } from '../support/front-server.ts';
import { GiraffeHome, servesHybrid } from '../support/giraffe-process.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { hasPrograms } from '../support/programs.ts';
import { createCertificate } from '../support/test-certificate.ts';

/** A DNS server that leads every name to this machine, so that the CA finds the edge. */
async function startNameServer(): Promise<AsyncDisposable & { readonly port: number }> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const end = query.indexOf(0, 12) + 5;
    const isA = query.readUInt16BE(end - 4) === 1;
    const header = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0]);
    const answer = isA ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]) : Buffer.alloc(0);
    socket.send(Buffer.concat([header, query.subarray(12, end), answer]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** Returns the certificate that a name gets on a port, whoever signed it. */
async function shown(port: number, servername: string): Promise<PeerCertificate> {
  const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

async function plainGet(
  port: number,
  path: string,
): Promise<{ status: number | undefined; location: string | undefined }> {
  const outgoing = request({ port, host: '127.0.0.1', path, headers: { Host: 'app.giraffe.test' }, agent: false });
  outgoing.end();
  const [response] = await once(outgoing, 'response');
  response.resume();
  return { status: response.statusCode, location: response.headers.location };
}

describe.skipIf(!hasPrograms('pebble'))('the certificate source acme', () => {
  it.each(['tls-alpn-01', 'http-01'])(
    'gets a certificate for each name that is served, by %s, and keeps it',
    async (challenge) => {
      await using home = new GiraffeHome();
      await using ca = new FrontServer();
      await using dns = await startNameServer();
      await using origin = await startHttpOrigin((_request, response) => response.end('over https'));
      const own = await createCertificate();
      const [directoryPort, managementPort] = [await freePort(), await freePort()];
      const [proxyPort, redirectPort] = [await freePort(), await freePort()];
      const pebble = {
        listenAddress: `127.0.0.1:${directoryPort}`,
        managementListenAddress: `127.0.0.1:${managementPort}`,
        certificate: ca.file('cert.pem', own.certPem),
        privateKey: ca.file('key.pem', own.keyPem),
        httpPort: redirectPort,
        tlsPort: proxyPort,
        ocspResponderURL: '',
        externalAccountBindingRequired: false,
      };
      const configuration = ca.file('pebble.json', JSON.stringify({ pebble }));
      const flags = ['-config', configuration, '-dnsserver', `127.0.0.1:${dns.port}`];
      await ca.start('pebble', flags, [directoryPort], { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0' });
      ca.file('ca.pem', own.caPem);
      const file = ca.file(
        'giraffe.config.json',
        JSON.stringify({
          server: {
            baseDomain: 'giraffe.test',
            proxyTls: { enabled: true },
            ports: { proxy: proxyPort, redirect: redirectPort, api: 0, grpc: 0, tunnel: 0 },
          },
          certificates: {
            source: 'acme',
            options: {
              agreeToTerms: true,
              directoryUrl: `https://localhost:${directoryPort}/dir`,
              directoryCaFile: 'ca.pem',
              challenges: [challenge],
            },
          },
        }),
      );
      const start = async (port: number) => {
        const edge = home.run(['server', 'start', '--json', '--config', file, '--grpc-port', String(port)]);
        const { ports } = await edge.event('ready');
        return { edge, grpc: (ports as { grpc: number }).grpc };
      };
      const { edge, grpc } = await start(0);
      const agent = home.run([
        'tunnel',
        origin.target,
        '--domain',
        'app.giraffe.test',
        '--server',
        `localhost:${grpc}`,
        '--json',
      ]);
      await servesHybrid(agent);
      expect((await agent.event('ready'))['url']).toBe(`https://app.giraffe.test:${proxyPort}`);

      const issuerOf = async (name: string) => (await shown(proxyPort, name)).issuer.CN?.toString() ?? '';
      await eventually(
        'the endpoint has a certificate',
        async () => /Pebble/.test(await issuerOf('app.giraffe.test')),
        30_000,
      );
      await eventually('so has the base domain', async () => /Pebble/.test(await issuerOf('giraffe.test')), 30_000);
      const { serialNumber, subjectaltname } = await shown(proxyPort, 'app.giraffe.test');
      expect(String(subjectaltname)).toBe('DNS:app.giraffe.test');
      expect(await issuerOf('unknown.giraffe.test')).not.toMatch(/Pebble/);
      expect(await plainGet(redirectPort, '/a?b')).toEqual({
        status: 308,
        location: `https://app.giraffe.test:${proxyPort}/a?b`,
      });

      // After a restart it is the same one: CAs count how many they sign.
      await edge.end('SIGTERM');
      const again = await start(grpc);
      expect(again.grpc).toBe(grpc);
      await servesHybrid(agent, 2);
      await eventually(
        'the kept one is served',
        async () => (await shown(proxyPort, 'app.giraffe.test')).serialNumber === serialNumber,
      );
    },
  );
});
