/** What a newcomer does first, exactly as README and the program's own output say it. */
import { readFileSync, statSync } from 'node:fs';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { anyPorts, type ChildProgram, GiraffeHome } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { hasPrograms } from '../support/programs.ts';
import { nextMessage, openWebSocket, startWebSocketOrigin } from '../support/websocket-origin.ts';

/** Returns a line that runs a command as in a terminal: its process id and what it prints to stderr come on stdout. */
function inTerminal(command: string): string {
  return `script -qefc 'echo pid $$; exec ${command}' /dev/null`;
}

/** Returns what stands behind a label of the edge's announcement. */
function told(edge: ChildProgram, label: string): string {
  return new RegExp(`^  ${label} +(.*)$`, 'm').exec(edge.stderr)?.[1] ?? '';
}

/** Returns the command that an edge prints below a line. */
function commandBelow(edge: ChildProgram, line: string): string {
  const lines = edge.stderr.split('\n');
  return lines[lines.findIndex((text) => text.startsWith(line)) + 1]?.trim() ?? '';
}

/** Starts an edge as a person does and waits for the end of its announcement. */
async function startEdge(home: GiraffeHome, args: readonly string[] = []): Promise<ChildProgram> {
  const edge = home.run(['server', 'start', ...anyPorts, ...args]);
  await edge.prints(/--ca sha256:[0-9a-f]{64}\n/);
  return edge;
}

/** Returns the public address that an agent prints on stdout. */
async function publicUrl(agent: ChildProgram): Promise<URL> {
  await agent.prints(/^http:.* -> .*\n/m);
  return new URL(agent.stdout.split(' ')[0] ?? '');
}

function clientOf(url: URL): HttpClient {
  return new HttpClient(Number(url.port), url.host);
}

async function alpn(port: number, protocol: string): Promise<string | false | null> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: [protocol] });
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const agreed = socket.alpnProtocol;
  socket.destroy();
  return agreed;
}

describe('the first minute', () => {
  it('O1 every line that the edge prints at its start is true', async () => {
    await using home = new GiraffeHome();
    const edge = await startEdge(home);
    const clients = new URL(told(edge, 'clients').split(',')[0] ?? '');
    using client = new HttpClient(Number(clients.port), clients.host);
    expect((await client.get('/')).status).toBe(404);
    expect(await alpn(Number(/port (\d+)/.exec(told(edge, 'gRPC tunnel'))?.[1]), 'h2')).toBe('h2');
    expect(await alpn(Number(/port (\d+)/.exec(told(edge, 'TCP tunnel'))?.[1]), 'giraffe')).toBe('giraffe');
    expect((await fetch(`${told(edge, 'dashboard, API')}/readyz`)).status).toBe(200);
    expect(told(edge, 'state folder')).toBe(home.stateDir);
    expect(statSync(home.stateDir).isDirectory()).toBe(true);
    expect(edge.stdout).toBe('');
    expect(await edge.end('SIGINT')).toEqual({ code: 0, signal: null });
    expect(edge.stderr).toContain('Stopping: what is in flight has 30 s to finish; a second signal ends at once.\n');
  });

  it('O1 the line for the same machine works as it is printed, and every line of the agent is true', async () => {
    await using home = new GiraffeHome();
    await using origin = await startWebSocketOrigin();
    const edge = await startEdge(home);
    const command = commandBelow(edge, 'Start an agent on this machine');
    const agent = home.shell(command.replace(' 3000', ` ${origin.target.split(':')[1]}`));
    const url = await publicUrl(agent);
    expect(agent.stderr.split('\n').slice(0, 6)).toEqual([
      '✔ Starting tunnel establishment',
      '❯ Establishing gRPC tunnel for HTTP traffic',
      '✔ gRPC tunnel established: unlimited HTTP concurrency',
      '❯ Establishing TCP tunnel for WebSocket traffic',
      '✔ WebSocket tunnel established',
      '✔ HYBRID MODE ACTIVE: gRPC (HTTP) + TCP (WebSocket)',
    ]);
    expect(url.hostname).toMatch(/^[a-z]+-[a-z]+-\d+\.localhost$/);
    using client = clientOf(url);
    expect(await client.get('/page')).toMatchObject({ status: 200, text: 'plain' });
    const socket = await openWebSocket(Number(url.port), '/chat', { host: url.host });
    const answer = nextMessage(socket);
    socket.send('hello');
    expect((await answer).toString()).toBe('hello');
    socket.close();
    await agent.prints(/^GET \/page 200 \d+ ms gRPC$/m);
    await agent.prints(/^GET \/chat 101 \d+ ms TCP$/m);
  });

  it.skipIf(!hasPrograms('script'))('O1 the line to paste on another machine works as it is printed', async () => {
    await using home = new GiraffeHome();
    await using elsewhere = new GiraffeHome();
    await using origin = await startHttpOrigin((_request, response) => response.end('from afar'));
    const edge = home.shell(inTerminal(`giraffe server start ${anyPorts.join(' ')} --public-host 127.0.0.1`));
    await edge.prints(/GIRAFFE_TOKEN=.*--ca sha256:[0-9a-f]{64}\r?\n/);
    const line = /or paste this line on another machine.*\s+(.*)/.exec(edge.stdout)?.[1]?.trim() ?? '';
    expect(line).toMatch(/^GIRAFFE_TOKEN=grf_\S+ giraffe tunnel 3000 --server 127\.0\.0\.1:\d+ /);
    const token = readFileSync(`${home.stateDir}/agent-token`, 'utf8').trim();
    expect(edge.output.split(token)).toHaveLength(2);
    const pid = Number(/^pid (\d+)/.exec(edge.stdout)?.[1]);
    const agent = elsewhere.shell(line.replace(' 3000', ` ${origin.port}`));
    using client = clientOf(await publicUrl(agent));
    expect(await client.get('/')).toMatchObject({ status: 200, text: 'from afar' });
    process.kill(pid, 'SIGTERM');
    expect(await edge.ended()).toEqual({ code: 0, signal: null });
  });

  it('O1 the line of a later start works with the token from the file that it names', async () => {
    await using home = new GiraffeHome();
    await using origin = await startHttpOrigin((_request, response) => response.end('again'));
    await (await startEdge(home)).end('SIGTERM');
    const edge = await startEdge(home, ['--public-host', 'localhost']);
    expect(edge.stderr).not.toContain('grf_');
    const file = /with the token in (\S+) or/.exec(edge.stderr)?.[1] ?? '';
    const line = commandBelow(edge, 'or on another machine').replace(' 3000', ` ${origin.port}`);
    await using elsewhere = new GiraffeHome();
    const agent = elsewhere.shell(`GIRAFFE_TOKEN=$(cat ${file}) ${line}`);
    using client = clientOf(await publicUrl(agent));
    expect((await client.get('/')).text).toBe('again');
  });

  it('O1 an agent that cannot have the gRPC tunnel says that it falls back, and serves', async () => {
    await using home = new GiraffeHome();
    await using origin = await startHttpOrigin((_request, response) => response.end('over TCP'));
    const { ports } = await home.startEdge();
    const server = ['--server', `localhost:${await freePort()}`, '--tunnel-port', String(ports.tunnel)];
    const agent = home.run(['tunnel', String(origin.port), ...server]);
    using client = clientOf(await publicUrl(agent));
    expect((await client.get('/')).text).toBe('over TCP');
    expect(agent.stderr).toMatch(/^✔ TCP FALLBACK MODE: .*ECONNREFUSED/m);
    expect(agent.stderr).not.toMatch(/gRPC tunnel established|HYBRID/);
  });
});
