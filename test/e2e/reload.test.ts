/** SIGHUP: a new certificate is served at once, and nothing that is open notices. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { GiraffeHome } from '../support/giraffe-process.ts';
import { HttpClient, readAnswer } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { createCertificate } from '../support/test-certificate.ts';
import { nextMessage, openWebSocket, startWebSocketOrigin } from '../support/websocket-origin.ts';

const domain = 'app.localhost';

async function servedCertificate(port: number, protocol: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: [protocol] });
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return raw.toString('base64');
}

/** Returns the first certificate of a PEM chain as `servedCertificate` does. */
function leafOf(pem: string): string {
  return (/-----BEGIN CERTIFICATE-----([^-]+)-/.exec(pem)?.[1] ?? '').replace(/\s/g, '');
}

describe('SIGHUP', () => {
  it('T8 serves a new certificate on both ports without dropping a connection, and refuses a bad one', async () => {
    await using home = new GiraffeHome();
    await using sockets = await startWebSocketOrigin();
    let finish: () => void = () => {};
    await using origin = await startHttpOrigin((_request, response) => {
      response.write('first ');
      finish = () => response.end('last');
    });
    const [old, fresh] = await Promise.all([createCertificate(), createCertificate()]);
    const file = (name: string): string => join(home.path, name);
    const install = (certPem: string, keyPem: string): void => {
      for (const [name, text] of Object.entries({ 'cert.pem': certPem, 'key.pem': keyPem })) {
        writeFileSync(file(`${name}.new`), text);
        renameSync(file(`${name}.new`), file(name));
      }
    };
    install(old.certPem, old.keyPem);
    writeFileSync(file('ca.pem'), old.caPem);
    const edge = await home.startEdge(['--tls-cert', file('cert.pem'), '--tls-key', file('key.pem')]);
    const { proxy, grpc, tunnel } = edge.ports;
    const agents = await Promise.all([
      home.startAgent(edge, origin.port, ['--domain', domain, '--ca', file('ca.pem')]),
      home.startAgent(edge, sockets.target, ['--domain', 'ws.localhost', '--ca', file('ca.pem')]),
    ]);
    using client = new HttpClient(proxy, domain);
    const { outgoing, answer } = client.open('GET', '/');
    outgoing.end();
    const response = await answer;
    const socket = await openWebSocket(proxy, '/chat', { host: 'ws.localhost' });
    expect(await servedCertificate(grpc, 'h2')).toBe(leafOf(old.certPem));

    install(fresh.certPem, fresh.keyPem);
    edge.process.kill('SIGHUP');
    await edge.process.prints('"reloaded"');
    expect(await servedCertificate(grpc, 'h2')).toBe(leafOf(fresh.certPem));
    expect(await servedCertificate(tunnel, 'giraffe')).toBe(leafOf(fresh.certPem));

    install(old.certPem, fresh.keyPem);
    edge.process.kill('SIGHUP');
    await edge.process.prints('reload refused');
    expect(await servedCertificate(grpc, 'h2')).toBe(leafOf(fresh.certPem));

    finish();
    expect((await readAnswer(response)).text).toBe('first last');
    const echo = nextMessage(socket);
    socket.send('still here');
    expect((await echo).toString()).toBe('still here');
    socket.close();
    for (const agent of agents) expect(agent.events.some(({ event }) => event === 'reconnecting')).toBe(false);
    expect(await edge.process.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});
