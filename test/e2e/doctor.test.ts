/** `giraffe doctor` against real processes: each fault is planted alone, named, and the next step is the right one. */
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCuttableProxy } from '../support/cuttable-proxy.ts';
import { type DoctorRun, runDoctor, shiftedClock } from '../support/doctor-run.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { anyPorts, GiraffeHome, portFlags, type RunningEdge } from '../support/giraffe-process.ts';
import { startHttpOrigin, startSocketOrigin } from '../support/origins.ts';
import { RunningClock } from '../support/running-clock.ts';
import { startWebSocketOrigin, type WebSocketOrigin } from '../support/websocket-origin.ts';

let home: GiraffeHome;
/** The home of an agent that knows no more of the edge than its CA and its token. */
let away: GiraffeHome;
let edge: RunningEdge;
let origin: WebSocketOrigin;
const dayMs = 86_400_000;

beforeAll(async () => {
  home = new GiraffeHome();
  away = new GiraffeHome();
  edge = await home.startEdge();
  origin = await startWebSocketOrigin();
});

afterAll(async () => {
  await origin[Symbol.asyncDispose]();
  await away[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

interface Way {
  readonly host?: string;
  readonly grpc?: number;
  readonly tunnel?: number;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** The doctor beside an agent of the shared edge. */
function agentDoctor({ host = 'localhost', args = [], env = {}, ...ports }: Way): Promise<DoctorRun> {
  const { grpc, tunnel } = { ...edge.ports, ...ports };
  const way = ['--server', `${host}:${grpc}`, '--tunnel-port', String(tunnel), '--ca', join(home.stateDir, 'ca.pem')];
  const GIRAFFE_TOKEN = readFileSync(join(home.stateDir, 'agent-token'), 'utf8').trim();
  return runDoctor(away, [...way, ...args], { env: { GIRAFFE_TOKEN, ...env } });
}

/** The doctor beside the shared edge. */
function doctor(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<DoctorRun> {
  return runDoctor(home, [...portFlags(edge.ports), ...args], { env });
}

/** A port that a program holds which answers nothing. */
async function takenPort(): Promise<{ port: number; [Symbol.asyncDispose](): Promise<void> }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

describe('giraffe doctor', () => {
  it('O5 finds nothing wrong with a whole tunnel, and sends a request and a WebSocket through it', async () => {
    const run = await doctor([origin.target]);
    expect(run.failed).toEqual([]);
    expect(run.code).toBe(0);
    for (const id of ['port-proxy', 'port-api', 'port-grpc', 'port-tunnel'] as const) {
      expect(run.check(id).saw).toContain(`held by this edge (pid ${edge.process.pid})`);
    }
    for (const id of ['clock', 'handshake-tunnel', 'origin-upgrade', 'round-trip', 'websocket'] as const) {
      expect(run.check(id)).toMatchObject({ status: 'ok' });
    }
  });

  it('O5 names a port that another program holds, and who', async () => {
    await using taken = await takenPort();
    const run = await runDoctor(home, portFlags({ ...edge.ports, grpc: taken.port }));
    expect(run.code).toBe(1);
    expect(run.check('port-grpc')).toMatchObject({
      status: 'failed',
      saw: expect.stringContaining(`(pid ${process.pid})`),
      next: expect.stringContaining('--grpc-port'),
    });
    expect(run.blockedBy('port-grpc')).toEqual(expect.arrayContaining(['edge', 'reach-grpc', 'round-trip']));
  });

  it('O5 names an expired certificate, in the files and on the wire, and --fix renews the files', async () => {
    await using past = new GiraffeHome();
    const old = past.run(['server', 'start', '--json', ...anyPorts], { env: shiftedClock(-400 * dayMs) });
    const { ports } = await old.event('ready');
    const flags = portFlags(ports as RunningEdge['ports']);
    const run = await runDoctor(past, flags);
    expect(run.code).toBe(1);
    expect(run.check('certificate-dates')).toMatchObject({
      status: 'failed',
      saw: expect.stringMatching(/^expired on 20/),
      next: expect.stringContaining('Restart the edge'),
    });
    expect(run.check('tls-grpc')).toMatchObject({
      status: 'failed',
      code: 'GIR_ERR_EDGE_CERTIFICATE',
      saw: expect.stringContaining('certificate has expired'),
      next: expect.stringContaining('Renew the certificate at the edge'),
    });
    expect(run.blockedBy('tls-grpc')).toEqual(expect.arrayContaining(['alpn', 'grpc-health', 'handshake-grpc']));
    const fixed = await runDoctor(past, [...flags, '--fix']);
    expect(fixed.check('certificate-dates')).toMatchObject({
      status: 'ok',
      fixed: expect.stringContaining('a new server certificate'),
    });
    await old.end('SIGTERM');
    const renewed = await past.startEdge();
    expect(await runDoctor(past, portFlags(renewed.ports))).toMatchObject({ failed: [], code: 0 });
  });

  it('O5 names a certificate that is for another name', async () => {
    const run = await agentDoctor({ host: '127.0.0.2' });
    expect(run.code).toBe(1);
    expect(run.check('tls-grpc')).toMatchObject({
      status: 'failed',
      saw: expect.stringMatching(/the certificate is for .*, not for 127\.0\.0\.2/),
      next: expect.stringContaining('--public-host'),
    });
    expect(run.blockedBy('tls-grpc')).toContain('handshake-grpc');
    const here = await doctor(['--public-host', 'tunnels.example.com']);
    expect(here.check('certificate-names')).toMatchObject({
      status: 'failed',
      saw: expect.stringMatching(/^not for tunnels\.example\.com, but for localhost/),
      next: expect.stringContaining('--public-host'),
    });
  });

  it('O5 names a key of another certificate', async () => {
    const files = ['--tls-cert', join(home.stateDir, 'server.pem'), '--tls-key', join(home.stateDir, 'ca-key.pem')];
    const run = await doctor(files);
    expect(run.code).toBe(1);
    expect(run.failed).toContain('certificate-key');
    expect(run.check('certificate-key').next).toContain('Pass the key that the certificate was issued for');
  });

  it('O5 names a clock that is off', async () => {
    const run = await agentDoctor({ env: shiftedClock(10 * 60_000) });
    expect(run.code).toBe(1);
    expect(run.failed).toEqual(['clock']);
    expect(run.check('clock')).toMatchObject({
      saw: '10 min ahead of the clock of the edge',
      next: expect.stringContaining('NTP'),
    });
  });

  it('O5 S7 names a token that the edge does not know, and shows it nowhere', async () => {
    const run = await agentDoctor({ env: { GIRAFFE_TOKEN: `grf_${'B'.repeat(43)}` } });
    expect(run.code).toBe(1);
    expect(run.failed).toEqual(['handshake-grpc']);
    expect(run.check('handshake-grpc')).toMatchObject({
      code: 'GIR_ERR_CREDENTIALS_REFUSED',
      next: expect.stringContaining('giraffe token create'),
    });
    expect(run.check('handshake-tunnel')).toMatchObject({ status: 'skipped' });
    expect(run.blockedBy('handshake-grpc')).toEqual(['public-dns', 'round-trip', 'websocket']);
    expect(run.output).not.toContain('BBBB');
  });

  it('O5 names a token that was revoked beside the edge that made it', async () => {
    await using other = new GiraffeHome();
    const { ports } = await other.startEdge();
    const list = other.run(['token', 'list', '--json']);
    await list.ended();
    const id = /tok_[0-9a-f]+/.exec(list.stdout)?.[0] ?? '';
    expect(await other.run(['token', 'revoke', id]).ended()).toMatchObject({ code: 0 });
    const run = await runDoctor(other, portFlags(ports));
    expect(run.check('token')).toMatchObject({
      status: 'failed',
      next: expect.stringContaining('giraffe token create'),
    });
    expect(run.blockedBy('token')).toEqual([
      'handshake-grpc',
      'handshake-tunnel',
      'public-dns',
      'round-trip',
      'websocket',
    ]);
  });

  it('O5 names an edge that is down', async () => {
    const port = await freePort();
    const run = await agentDoctor({ grpc: port, tunnel: port });
    expect(run.code).toBe(1);
    expect(run.check('reach-grpc')).toMatchObject({
      status: 'failed',
      code: 'GIR_ERR_EDGE_UNREACHABLE',
      saw: expect.stringContaining('refuses connections'),
      next: expect.stringContaining('Check that the edge runs'),
    });
    expect(run.failed).toEqual(['reach-grpc', 'reach-tunnel']);
    expect(run.blockedBy('reach-tunnel')).toEqual(['tls-tunnel', 'handshake-tunnel']);
    expect(run.blockedBy('reach-grpc')).toEqual(
      expect.arrayContaining(['tls-grpc', 'clock', 'round-trip', 'websocket']),
    );
  });

  it('O5 names a gRPC port that is blocked, and goes on over TCP', async () => {
    // Nobody listens: a reset would come before or after the end of the handshake of TCP, as it happens.
    const run = await agentDoctor({ grpc: await freePort() });
    expect(run.code).toBe(1);
    expect(run.failed).toEqual(['reach-grpc']);
    expect(run.check('reach-grpc').next).toContain('firewall');
    expect(run.blockedBy('reach-grpc')).toEqual(['tls-grpc', 'alpn', 'grpc-health', 'clock', 'handshake-grpc']);
    expect(run.check('round-trip')).toMatchObject({ status: 'ok' });
    expect(run.check('websocket')).toMatchObject({ status: 'ok' });
  });

  it('O5 names a TCP port that is blocked, and goes on over gRPC', async () => {
    const port = await freePort();
    const run = await agentDoctor({ tunnel: port });
    expect(run.code).toBe(1);
    expect(run.failed).toEqual(['reach-tunnel']);
    expect(run.check('reach-tunnel').next).toContain(`open port ${port}`);
    expect(run.blockedBy('reach-tunnel')).toEqual(['tls-tunnel', 'handshake-tunnel']);
    expect(run.check('round-trip')).toMatchObject({ status: 'ok' });
  });

  it('O5 names a service that is down', async () => {
    const port = await freePort();
    const run = await doctor([`127.0.0.1:${port}`]);
    expect(run.code).toBe(1);
    expect(run.failed).toEqual(['origin']);
    expect(run.check('origin')).toMatchObject({
      code: 'GIR_ERR_ORIGIN_REFUSED',
      saw: `http://127.0.0.1:${port}: nothing listens there`,
      next: expect.stringContaining('Start the service'),
    });
    expect(run.blockedBy('origin')).toEqual(['origin-http', 'origin-upgrade']);
  });

  it('O5 names a service that refuses the Host of clients, and takes its own', async () => {
    await using picky = await startHttpOrigin((request, response) => {
      response.statusCode = request.headers.host?.startsWith('127.0.0.1:') ? 200 : 403;
      response.end();
    });
    const target = `127.0.0.1:${picky.port}`;
    const refused = await doctor([target, '--domain', 'app.example.com']);
    expect(refused.failed).toEqual(['origin-http']);
    expect(refused.check('origin-http')).toMatchObject({
      saw: `answers 403 to Host app.example.com, and 200 to Host ${target}`,
      next: expect.stringContaining('--host-header rewrite'),
    });
    expect(await doctor([target, '--domain', 'app.example.com', '--host-header', 'rewrite'])).toMatchObject({
      code: 0,
    });
  });

  it('O5 ends within 10 s when everything on the way is silent', async () => {
    await using grpc = await startCuttableProxy(edge.ports.grpc);
    await using tunnel = await startCuttableProxy(edge.ports.tunnel);
    grpc.stall();
    tunnel.stall();
    using clock = new RunningClock();
    const run = await agentDoctor({ grpc: grpc.port, tunnel: tunnel.port });
    expect(clock.ranMs).toBeLessThan(10_000);
    expect(run.failed).toEqual(['tls-grpc', 'tls-tunnel']);
    expect(run.check('tls-grpc')).toMatchObject({ saw: expect.stringMatching(/^no answer within [0-9.]+ s$/) });
  });

  it('O5 tells that clients do not trust the certificate of an edge that speaks HTTPS to them', async () => {
    await using secure = new GiraffeHome();
    const { ports } = await secure.startEdge(['--proxy-tls']);
    const run = await runDoctor(secure, portFlags(ports));
    expect(run).toMatchObject({ failed: [], code: 0 });
    expect(run.check('port-proxy').saw).toContain('held by this edge');
    expect(run.check('round-trip')).toMatchObject({
      status: 'warning',
      saw: expect.stringMatching(/there and back in .*clients do not trust the certificate/),
    });
    expect(run.check('websocket')).toMatchObject({ status: 'ok' });
  });

  it('O5 does not disturb an agent that serves', async () => {
    const agent = await home.startAgent(edge, origin.target, ['--domain', 'busy.localhost']);
    const run = await doctor([origin.target, '--domain', 'busy.localhost']);
    expect(run).toMatchObject({ failed: [], code: 0 });
    expect(agent.events.filter(({ event }) => event === 'reconnecting' || event === 'mode')).toEqual([]);
    expect(await agent.end('SIGTERM')).toMatchObject({ code: 0 });
  });
});

describe('giraffe doctor on a machine without edge and agent', () => {
  it('O5 looks at the ports, changes nothing, and exits 0', async () => {
    await using fresh = new GiraffeHome();
    const ports = [await freePort(), await freePort(), await freePort(), await freePort()];
    const [proxy, api, grpc, tunnel] = ports.map(String);
    const env = { PROXY_PORT: proxy, API_PORT: api, GRPC_TUNNEL_PORT: grpc, TUNNEL_PORT: tunnel };
    const run = await runDoctor(fresh, [], { env });
    expect(run).toMatchObject({ failed: [], code: 0 });
    expect(run.check('port-proxy').saw).toBe(`${proxy} is free`);
    expect(existsSync(fresh.stateDir)).toBe(false);
  });

  it('O5 tells everything that is wrong with the configuration, and skips what depends on it', async () => {
    await using fresh = new GiraffeHome();
    writeFileSync(join(fresh.path, 'giraffe.config.yaml'), 'server: { ports: { proxi: 1, api: x } }');
    const run = await runDoctor(fresh, []);
    expect(run.code).toBe(1);
    expect(run.failed).toEqual(['configuration']);
    expect(run.check('configuration').saw).toMatch(/api is "x".*proxi/);
    expect(run.blockedBy('configuration')).toEqual(['extensions', 'state-folder']);
  });

  it('O6 refuses a command line that is not valid with status 2', async () => {
    await using fresh = new GiraffeHome();
    for (const args of [['--server'], ['no target'], ['--bundle', fresh.path]]) {
      expect(await fresh.run(['doctor', ...args]).ended()).toMatchObject({ code: 2 });
    }
  });

  it('leaves no empty bundle behind a command line that is not valid', async () => {
    await using fresh = new GiraffeHome();
    const file = join(fresh.path, 'report.md');
    expect(await fresh.run(['doctor', 'no target', '--bundle', file]).ended()).toMatchObject({ code: 2 });
    expect(existsSync(file)).toBe(false);
  });

  it('leaves no empty bundle behind when it is stopped', async () => {
    await using fresh = new GiraffeHome();
    await using silent = await startSocketOrigin(() => {});
    const file = join(fresh.path, 'report.md');
    const doctor = fresh.run(['doctor', '--server', silent.target, '--bundle', file]);
    await eventually('the doctor asks', () => silent.connections > 0);
    await doctor.end('SIGINT');
    expect(existsSync(file)).toBe(false);
  });
});

describe('--fix', () => {
  it('S7 closes files that others can read, and tells which', async () => {
    await using messy = new GiraffeHome();
    const { process: program, ports } = await messy.startEdge();
    await program.end('SIGTERM');
    const key = join(messy.stateDir, 'server-key.pem');
    chmodSync(key, 0o644);
    const run = await runDoctor(messy, portFlags(ports));
    expect(run.check('state-folder')).toMatchObject({
      status: 'failed',
      saw: expect.stringContaining('server-key.pem'),
      next: expect.stringContaining('--fix'),
    });
    expect(statSync(key).mode & 0o777).toBe(0o644);
    const fixed = await runDoctor(messy, [...portFlags(ports), '--fix']);
    expect(fixed.check('state-folder')).toMatchObject({ status: 'ok', fixed: expect.stringContaining(key) });
    expect(statSync(key).mode & 0o777).toBe(0o600);
  });

  it('makes a state folder that is missing', async () => {
    await using fresh = new GiraffeHome();
    const dir = join(fresh.path, 'state');
    const run = await runDoctor(fresh, ['--fix', '--state-dir', dir, '--base-domain', 'example.com', ...anyPorts]);
    expect(run.check('state-folder')).toMatchObject({ status: 'ok', fixed: `made ${dir}` });
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });
});

describe('--bundle', () => {
  it('S7 writes a report without secrets, 0600, and overwrites nothing', async () => {
    await using secretive = new GiraffeHome();
    const log = join(secretive.path, 'edge.log');
    const started = await secretive.startEdge(['--log-file', log]);
    const agentToken = readFileSync(join(secretive.stateDir, 'agent-token'), 'utf8').trim();
    const adminToken = readFileSync(join(secretive.stateDir, 'admin-token'), 'utf8').trim();
    writeFileSync(
      join(secretive.path, 'giraffe.config.yaml'),
      `log: { file: '${log}' }
agent: { server: 'localhost:${started.ports.grpc}', token: 'hunter2-token' }
tunnels:
  web: { target: ${origin.target.split(':')[1]}, headers: { request: { set: { Authorization: Basic aHVudGVyMg==, Cookie: id=hunter2-cookie } } } }`,
    );
    const lines = ['Authorization: Bearer hunter2-bearer', '{"cookie":"id=hunter2-jar"}', `{"token":"${adminToken}"}`];
    writeFileSync(log, `${lines.join('\n')}\nhunter2-token\nthe last line\n`, { flag: 'a' });
    const file = join(secretive.path, 'report.md');
    const args = [...portFlags(started.ports), '--bundle', file];
    const human = secretive.run(['doctor', ...args]);
    await human.ended();
    rmSync(file);
    const json = await runDoctor(secretive, args);
    const bundle = readFileSync(file, 'utf8');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const text of [bundle, json.output, human.output]) {
      expect(text).not.toMatch(/hunter2|aHVudGVyMg|gr[af]_[A-Za-z0-9]/);
      expect(text).not.toContain(agentToken);
      expect(text).not.toContain(adminToken);
      expect(text).not.toContain('PRIVATE KEY');
    }
    for (const part of ['giraffe/0.', 'Node.js', 'gRPC handshake', 'agent.token: [redacted]', 'the last line']) {
      expect(bundle).toContain(part);
    }
    const again = secretive.run(['doctor', ...args]);
    expect(await again.ended()).toMatchObject({ code: 2 });
    expect(again.stderr).toContain('is not overwritten');
    expect(readFileSync(file, 'utf8')).toBe(bundle);
  });
});
