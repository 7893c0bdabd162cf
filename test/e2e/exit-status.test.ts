/** Every exit status, and what a person reads with it: what happened and the next step. */
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { forgedTls, wire } from '../support/forged-carrier.ts';
import { anyPorts, type ChildProgram, GiraffeHome } from '../support/giraffe-process.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { rawFrame } from '../support/raw-frames.ts';
import { root } from '../support/repository.ts';
import { createCertificate, testCertificate } from '../support/test-certificate.ts';

const token = `grf_${'A'.repeat(43)}`;

/** Expects a failure that is told in two lines, the last ones, without the token. */
async function expectFailure(program: ChildProgram, code: number, message: RegExp): Promise<void> {
  expect(await program.ended()).toEqual({ code, signal: null });
  expect(program.stdout).toBe('');
  const lines = program.stderr.trimEnd().split('\n');
  expect(lines.at(-2)).toMatch(message);
  expect(lines.at(-2)).toMatch(/^Error: .* \(GIR_ERR_[A-Z_]+\)$/);
  expect(lines.at(-1)).toMatch(/^Next: {2}\S.*\.$/);
  expect(program.stderr).not.toContain('A'.repeat(9));
}

describe('exit status 2, wrong usage', () => {
  it.each([
    ['no target', ['tunnel'], /no target: give TARGET/],
    ['a target that is none', ['tunnel', 'ftp://x'], /"ftp:\/\/x" is not a target/],
    ['a mistyped command', ['tunnel', 'lst'], /"lst" is not a target.*; the nearest command is giraffe tunnel list/],
    [
      'a port that is no number',
      ['server', 'start', '--proxy-port', 'http'],
      /--proxy-port is "http"; accepted is a port/,
    ],
    [
      'a port that is too large',
      ['tunnel', '--port', '65536'],
      /--port is "65536"; accepted is a port from 1 to 65535/,
    ],
    [
      'a size that is none',
      ['server', 'start', '--max-header-size', '12parsecs'],
      /--max-header-size is "12parsecs".*64KiB/,
    ],
    ['a time without unit', ['tunnel', '3000', '--timeout', '5'], /--timeout is "5".*30s/],
    ['an unknown transport', ['tunnel', '3000', '--transport', 'udp'], /one of auto, grpc, tcp/],
    ['an unknown flag', ['tunnel', '3000', '--tokn', token], /there is no flag --tokn; the nearest is --token/],
    ['a flag without value', ['tunnel', '3000', '--token'], /--token expects a value/],
    ['an argument too many', ['tunnel', '3000', token], /one argument too many/],
    ['two targets', ['tunnel', '3000', '--port', '3001'], /3000 and --port 3001 are different/],
    ['two tokens', ['tunnel', '3000', '--token', token, '--token-file', '/x'], /give one of them/],
    ['an unknown command', ['tunel', '3000'], /there is no command tunel; the nearest is tunnel/],
    ['help for an unknown command', ['tunel', '--help'], /there is no command tunel; the nearest is tunnel/],
    ['a flag that help has not', ['help', 'tunnel', '--nope'], /there is no flag --nope/],
    ['a flag that plugins has not', ['plugins', '--cor'], /there is no flag --cor; the nearest is --core/],
    ['a plugin that is missing', ['plugins', 'install'], /PLUGIN is missing: plugin to install/],
    ['help on an unknown command', ['help', 'tunel'], /there is no command tunel; the nearest is tunnel/],
    [
      'an unknown command of a topic',
      ['server', 'stop'],
      /no such command of giraffe server; the nearest is server start/,
    ],
  ])('O6 for %s', async (_what, args, message) => {
    await using home = new GiraffeHome();
    await expectFailure(home.run(args), 2, message);
  });
});

describe('exit status 3, bad configuration', () => {
  let certificate: { readonly certPem: string; readonly keyPem: string };
  let other: { readonly keyPem: string };

  beforeAll(async () => {
    [certificate, other] = await Promise.all([createCertificate(), createCertificate()]);
  });

  it.each([
    ['a bad variable', ['server', 'start'], { PROXY_PORT: 'http' }, /PROXY_PORT is "http"; accepted is a port/],
    [
      'no token',
      ['tunnel', '3000'],
      {},
      /there is no token: GIRAFFE_TOKEN and --token-file are not set, .*`giraffe server start`/,
    ],
    [
      'no token file',
      ['tunnel', '3000', '--token-file', '/nowhere'],
      {},
      /token file \/nowhere cannot be read \(ENOENT\)/,
    ],
    ['a malformed pin', ['tunnel', '3000', '--ca', 'sha256:12'], { GIRAFFE_TOKEN: token }, /--ca.*sha256: and 64 hex/],
    [
      'no CA file',
      ['tunnel', '3000', '--ca', '/nowhere'],
      { GIRAFFE_TOKEN: token },
      /CA file \/nowhere cannot be read/,
    ],
    [
      'a certificate without key',
      ['server', 'start', '--tls-cert', '/nowhere'],
      {},
      /--tls-cert and --tls-key are needed/,
    ],
  ])('O6 for %s', async (_what, args, env, message) => {
    await using home = new GiraffeHome();
    await expectFailure(home.run(args, { env }), 3, message);
  });

  it('O6 for an empty stdin where the token should be', async () => {
    await using home = new GiraffeHome();
    await expectFailure(home.run(['tunnel', '3000', '--token', '-']), 3, /stdin does not hold a token/);
  });

  it('O6 for a certificate that is not there, is none, or is not that of the key', async () => {
    await using home = new GiraffeHome();
    const file = (name: string, text: string): string => {
      writeFileSync(join(home.path, name), text);
      return join(home.path, name);
    };
    const cert = file('cert.pem', certificate.certPem);
    const start = (certFile: string, keyFile: string) =>
      home.run(['server', 'start', ...anyPorts, '--tls-cert', certFile, '--tls-key', keyFile]);
    await expectFailure(start('/nowhere', '/nowhere'), 3, /\/nowhere/);
    await expectFailure(start(file('text', 'x'), file('key.pem', certificate.keyPem)), 3, /text/);
    await expectFailure(start(cert, file('other.pem', other.keyPem)), 3, /other\.pem/);
  });

  it('O6 for a state folder that is a file, or below one', async () => {
    await using home = new GiraffeHome();
    const file = join(home.path, 'file');
    writeFileSync(file, '');
    const start = (folder: string) => home.run(['server', 'start', ...anyPorts, '--state-dir', folder]);
    await expectFailure(start(file), 3, /file/);
    await expectFailure(start(join(file, 'state')), 3, /file\/state/);
  });

  it.runIf(process.platform === 'linux')('O6 for a state folder where nobody may write, root included', async () => {
    await using home = new GiraffeHome();
    const edge = home.run(['server', 'start', ...anyPorts, '--state-dir', '/sys/giraffe']);
    await expectFailure(edge, 3, /cannot open the state folder \/sys\/giraffe: (?:EPERM|EACCES|EROFS)/);
  });
});

describe('the other exit statuses', () => {
  it('O6 is that of a command of a plugin that fails, told in our form', async () => {
    await using home = new GiraffeHome();
    await expectFailure(
      home.run(['plugins', 'uninstall', 'nope']),
      1,
      /nope is not installed \(GIR_ERR_PLUGIN_COMMAND\)/,
    );
    const linked = home.run(['plugins', 'link', '/nowhere', '--no-install']);
    await expectFailure(linked, 1, /could not find package\.json.* \(GIR_ERR_PLUGIN_COMMAND\)/);
  });

  it('O6 is 4 for a plugin that fails to load, which is named', async () => {
    await using home = new GiraffeHome();
    const link = home.run(['plugins', 'link', join(root, 'test/fixtures/plugins/throws'), '--no-install']);
    expect(await link.ended()).toMatchObject({ code: 0 });
    await expectFailure(
      home.run(['server', 'start', ...anyPorts]),
      4,
      /plugin giraffe-plugin-throws: the licence server is away/,
    );
  });

  it.each([
    ['--proxy-port', 'proxy'],
    ['--api-port', 'management API'],
    ['--grpc-port', 'gRPC tunnel'],
    ['--tunnel-port', 'TCP tunnel'],
  ])('O6 is 5 when the port of %s is taken, and says by whom and what to change', async (flag, label) => {
    await using home = new GiraffeHome();
    await using holder = await startHttpOrigin(() => {});
    const others = anyPorts.filter((word, index) => word !== flag && anyPorts[index - 1] !== flag);
    const edge = home.run(['server', 'start', ...others, flag, String(holder.port)]);
    const message = `port ${holder.port} \\(${label}\\): .*\\(pid ${process.pid}\\) holds it; ${flag} or .* another port`;
    await expectFailure(edge, 5, new RegExp(message));
  });

  it('O6 is 6 when there is no edge within --timeout', async () => {
    await using home = new GiraffeHome();
    const ports = ['--server', 'localhost:9', '--tunnel-port', '9'];
    const agent = home.run(['tunnel', '3000', ...ports, '--timeout', '3s'], { env: { GIRAFFE_TOKEN: token } });
    await expectFailure(agent, 6, /no tunnel to localhost:9 within 3 s: .*ECONNREFUSED/);
  });

  it('O6 is 7 for a token that the edge refuses', async () => {
    await using home = new GiraffeHome();
    const { ports } = await home.startEdge();
    const agent = home.run(['tunnel', '3000', '--server', `localhost:${ports.grpc}`], {
      env: { GIRAFFE_TOKEN: token },
    });
    await expectFailure(agent, 7, /refused the token/);
  });

  it('O6 is 8 for an edge of another protocol version', async () => {
    await using home = new GiraffeHome();
    const { certPem, keyPem, caPem } = await testCertificate();
    const server = createServer({ cert: certPem, key: keyPem, ALPNProtocols: ['giraffe'] }, (socket) => {
      const carrier = forgedTls(socket);
      const reason = 'GIR_ERR_PROTOCOL_VERSION\nthe edge speaks version 2 of the tunnel protocol, the agent version 1';
      void carrier.frame(wire.hello).then(() => carrier.send(rawFrame(wire.goAway, 0, 0, reason)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const ca = join(home.path, 'ca.pem');
    writeFileSync(ca, caPem);
    const to = ['--server', 'localhost:9', '--tunnel-port', String(port), '--transport', 'tcp', '--ca', ca];
    await expectFailure(home.run(['tunnel', '3000', ...to], { env: { GIRAFFE_TOKEN: token } }), 8, /version 2/);
    server.close();
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('O6 is that of the signal when %s ends an agent that never served', async (signal, code) => {
    await using home = new GiraffeHome();
    const ports = ['--server', 'localhost:9', '--tunnel-port', '9'];
    const agent = home.run(['tunnel', '3000', ...ports], { env: { GIRAFFE_TOKEN: token } });
    await agent.prints('next attempt in');
    expect(await agent.end(signal)).toEqual({ code, signal: null });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('O6 is 0 when %s ends an edge or an agent that serves', async (signal) => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const agent = await home.startAgent(edge, 3000);
    expect(await agent.end(signal)).toEqual({ code: 0, signal: null });
    expect(await edge.process.end(signal)).toEqual({ code: 0, signal: null });
  });
});
