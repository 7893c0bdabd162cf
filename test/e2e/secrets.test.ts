/** Secrets of ours and of clients: in no output, no process list, and no file that others can read. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anyPorts, type ChildProgram, GiraffeHome } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { nextMessage, openWebSocket, startWebSocketOrigin } from '../support/websocket-origin.ts';

const domain = 'app.localhost';
const secretFields = {
  Authorization: 'Bearer client-secret-1',
  Cookie: 'session=client-secret-2',
  'Proxy-Authorization': 'Basic client-secret-3',
  'X-Api-Key': 'client-secret-4',
};

function readSecret(home: GiraffeHome, file: string): string {
  return readFileSync(join(home.stateDir, file), 'utf8').trim();
}

/** Everything that a process, its threads included, shows to all users of the machine. */
function commandLine({ pid }: ChildProgram): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}

describe('tokens', () => {
  it('S7 no log gets a token: without a terminal, the first start tells where it is', async () => {
    await using home = new GiraffeHome();
    const first = home.run(['server', 'start', ...anyPorts, '--log-level', 'debug']);
    await first.prints('--ca sha256:');
    expect(first.stderr).toContain(
      `with the token in ${join(home.stateDir, 'agent-token')} or one that \`giraffe token create\` makes`,
    );
    expect(readSecret(home, 'agent-token')).toMatch(/^grf_/);
    await first.end('SIGTERM');
    const second = home.run(['server', 'start', ...anyPorts, '--log-level', 'debug']);
    await second.prints('--ca sha256:');
    await second.end('SIGTERM');
    expect(first.output + second.output).not.toContain('grf_');
    expect(first.output + second.output).not.toContain(readSecret(home, 'admin-token'));
    expect(first.output + second.output).not.toContain('PRIVATE KEY');
  });

  it('S7 no token is in the output of --json, not even the first', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge(['--log-level', 'debug']);
    await edge.process.end('SIGTERM');
    expect(edge.process.output).not.toMatch(/gr[af]_/);
  });

  it.each([
    ['its state folder', (_token: string) => ({})],
    ['the environment', (token: string) => ({ env: { GIRAFFE_TOKEN: token } })],
    ['stdin', (token: string) => ({ args: ['--token', '-'], stdin: `${token}\n` })],
    ['a file', (_token: string, file: string) => ({ args: ['--token-file', file] })],
  ] as const)('S7 an agent with the token from %s shows it nowhere', async (_where, settingsOf) => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const token = readSecret(home, 'agent-token');
    const { args = [], ...settings }: { args?: readonly string[]; env?: NodeJS.ProcessEnv; stdin?: string } =
      settingsOf(token, join(home.stateDir, 'agent-token'));
    const agent = await home.startAgent(edge, 3000, ['--log-level', 'debug', ...args], settings);
    expect(commandLine(agent) + commandLine(edge.process)).not.toContain(token);
    await agent.end('SIGTERM');
    await edge.process.end('SIGTERM');
    expect(agent.output + edge.process.output).not.toContain(token);
  });

  it('S7 a token on the command line works, with a warning that does not repeat it', async () => {
    await using home = new GiraffeHome();
    const { ports } = await home.startEdge();
    const token = readSecret(home, 'agent-token');
    const agent = home.run(['tunnel', '3000', '--server', `localhost:${ports.grpc}`, '--token', token]);
    await agent.prints('HYBRID');
    expect(agent.stderr).toMatch(/^Warning: .*--token.*process list/m);
    expect(agent.output).not.toContain(token);
  });

  it('S7 a refused token is in no error and no log', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge(['--log-level', 'debug']);
    const refused = `grf_${'B'.repeat(43)}`;
    const file = join(home.path, 'token');
    writeFileSync(file, refused);
    const flags = ['--server', `localhost:${edge.ports.grpc}`, '--log-level', 'debug', '--token-file', file];
    const agent = home.run(['tunnel', '3000', ...flags], { env: { DEBUG: 'giraffe' } });
    expect(await agent.ended()).toMatchObject({ code: 7 });
    await edge.process.end('SIGTERM');
    expect(agent.output + edge.process.output).not.toContain('BBBBBBBB');
  });
});

describe('state files', () => {
  it('S7 are 0600 in a folder that is 0700, whatever the umask', async () => {
    await using home = new GiraffeHome();
    const edge = home.shell(`umask 0; giraffe server start --json ${anyPorts.join(' ')}`);
    const { ports } = await edge.event('ready');
    const agent = await home.startAgent({ ports: ports as never }, 3000, ['--domain', domain]);
    await agent.end('SIGTERM');
    await edge.end('SIGTERM');
    const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    expect(mode(home.stateDir)).toBe('700');
    const entries = readdirSync(home.stateDir, { withFileTypes: true, recursive: true });
    expect(entries.length).toBeGreaterThan(4);
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      expect(`${entry.name} ${mode(path)}`).toBe(`${entry.name} ${entry.isDirectory() ? '700' : '600'}`);
    }
  });

  it('S7 a log file is 0600 too', async () => {
    await using home = new GiraffeHome();
    const file = join(home.path, 'logs', 'edge.log');
    const edge = home.shell(`umask 0; giraffe server start ${anyPorts.join(' ')} --log-file ${file}`);
    await edge.prints('--ca sha256:');
    await edge.end('SIGTERM');
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    expect(readFileSync(file, 'utf8')).toContain('drained');
  });
});

describe("clients' secrets", () => {
  it('S7 no credentials, cookies or queries are in a log, for answers, failures and upgrades', async () => {
    await using home = new GiraffeHome();
    await using sockets = await startWebSocketOrigin();
    await using origin = await startHttpOrigin((_request, response) => {
      response.setHeader('Set-Cookie', 'session=origin-secret');
      response.setHeader('Location', '/next?code=origin-secret');
      response.end('body-secret');
    });
    const edge = await home.startEdge(['--log-level', 'debug']);
    const flags = ['--log-level', 'debug', '--domain'];
    const agents = await Promise.all([
      home.startAgent(edge, origin.port, [...flags, domain]),
      home.startAgent(edge, sockets.target, [...flags, 'ws.localhost']),
      home.startAgent(edge, 9, [...flags, 'gone.localhost']),
    ]);
    for (const host of [domain, 'gone.localhost', 'unknown.localhost']) {
      using client = new HttpClient(edge.ports.proxy, host);
      await client.send('POST', '/path?key=client-secret-5', 'body-secret', { headers: secretFields });
    }
    const socket = await openWebSocket(edge.ports.proxy, '/ws?key=client-secret-6', {
      host: 'ws.localhost',
      headers: { Host: 'ws.localhost', ...secretFields },
    });
    const echo = nextMessage(socket);
    socket.send('body-secret');
    await echo;
    socket.close();
    await agents[1].event('request');
    for (const program of [...agents, edge.process]) await program.end('SIGTERM');
    const output = [...agents, edge.process].map((program) => program.output).join('\n');
    expect(output).toContain('/path');
    expect(output).toContain('/ws');
    expect(output).not.toMatch(/(?:client|origin|body)-secret/);
  });
});
