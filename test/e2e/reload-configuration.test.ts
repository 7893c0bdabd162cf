/** T8: SIGHUP with real processes under load. New tunnels and limits are in force, and nothing in flight is lost. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type ChildProgram, GiraffeHome, servesHybrid } from '../support/giraffe-process.ts';
import { HttpClient, readAnswer } from '../support/http-client.ts';
import { type Origin, startHttpOrigin } from '../support/origins.ts';
import { startLoad } from '../support/steady-load.ts';
import { nextMessage, openWebSocket, startWebSocketOrigin } from '../support/websocket-origin.ts';

/** Pieces of a download that lasts until the test lets it end. */
const piece = Buffer.alloc(256 * 1024, 'giraffe ');

/** Answers at once, except for /download, which sends a piece for each call of the returned function. */
async function startDownloadOrigin(): Promise<{ origin: Origin; send: () => void; end: () => void }> {
  let send = (): void => {};
  let end = (): void => {};
  const origin = await startHttpOrigin((request, response) => {
    if (request.url !== '/download') return void response.end('web');
    send = () => void response.write(piece);
    end = () => void response.end();
    send();
  });
  return { origin, send: () => send(), end: () => end() };
}

/** Configuration files of an edge and an agent in a home folder. */
class Files {
  readonly edge: string;
  readonly agent: string;

  constructor(home: GiraffeHome) {
    this.edge = join(home.path, 'edge.yaml');
    this.agent = join(home.path, 'agent.json');
  }

  writeEdge(server: object): void {
    const ports = { proxy: 0, api: 0, grpc: 0, tunnel: 0 };
    // JSON is YAML.
    writeFileSync(this.edge, JSON.stringify({ server: { ports, defaults: { rateLimit: { rpm: 0 } }, ...server } }));
  }

  writeAgent(grpcPort: number, tunnels: object): void {
    writeFileSync(this.agent, JSON.stringify({ agent: { server: `localhost:${grpcPort}` }, tunnels }));
  }
}

/** What a program logged, without its exchanges. */
function told({ stderr }: ChildProgram): string {
  const lines = stderr.split('\n').filter((line) => !line.includes('exchange ended'));
  return lines.join('\n');
}

/** Sends SIGHUP and waits for a line of the log that was not there before. */
async function reload(program: ChildProgram, line: string): Promise<void> {
  const count = () => program.stderr.split(line).length;
  const before = count();
  program.kill('SIGHUP');
  await eventually(`the line ${line}`, () => before < count(), 30_000);
}

describe('SIGHUP', () => {
  it('T8 puts new tunnels and limits in force, and loses nothing that is in flight', async () => {
    await using home = new GiraffeHome();
    const { origin, send, end } = await startDownloadOrigin();
    await using web = origin;
    await using api = await startHttpOrigin((_request, response) => response.end('api'));
    await using chat = await startWebSocketOrigin();
    const files = new Files(home);
    files.writeEdge({});
    const edge = home.run(['server', 'start', '--json', '--config', files.edge]);
    const { ports } = (await edge.event('ready')) as unknown as { ports: { proxy: number; grpc: number } };
    const tunnels = {
      web: { domain: 'app.test', target: web.port },
      chat: { domain: 'chat.test', target: chat.target },
    };
    files.writeAgent(ports.grpc, tunnels);
    const agent = home.run(['tunnel', '--json', '--log-level', 'info', '--config', files.agent]);
    await servesHybrid(agent);

    using webClient = new HttpClient(ports.proxy, 'app.test');
    using apiClient = new HttpClient(ports.proxy, 'api.test');
    const load = startLoad(ports.proxy, { host: 'app.test' });
    const download = webClient.open('GET', '/download');
    download.outgoing.end();
    const answer = await download.answer;
    const whole = readAnswer(answer);
    whole.catch(() => {});
    const socket = await openWebSocket(ports.proxy, '/chat', { host: 'chat.test' });
    await load.more(50);

    // A tunnel more at the agent.
    expect((await apiClient.get('/')).status).toBe(404);
    files.writeAgent(ports.grpc, { ...tunnels, api: { domain: 'api.test', target: api.port } });
    await reload(agent, '"msg":"reloaded"');
    expect((await apiClient.get('/')).text).toBe('api');
    send();
    await load.more(50);

    // A smaller bound at the edge.
    const big = { headers: { 'X-Big': 'x'.repeat(4000) } };
    expect((await apiClient.get('/', big)).status).toBe(200);
    files.writeEdge({ limits: { maxHeaderSize: 2048 }, ports: { proxy: 1, api: 0, grpc: 0, tunnel: 0 } });
    await reload(edge, '"msg":"reloaded"');
    using freshClient = new HttpClient(ports.proxy, 'api.test');
    expect((await freshClient.get('/', big)).status).toBe(431);
    expect(told(edge)).toMatch(/"settings":\["proxy-port"\],"msg":"these settings need a restart"/);
    send();
    await load.more(50);

    // Files with mistakes.
    writeFileSync(files.edge, '{ "server": { "portz": {}, "baseDomain": "not a name" } }');
    writeFileSync(files.agent, '{ "tunnels": { "web": { "target": "nowhere" } } }');
    await reload(edge, 'reload refused');
    await reload(agent, 'reload refused');
    expect(told(edge)).toMatch(/server\.baseDomain is \\"not a name\\".*server\.portz is an unknown key/);
    expect(told(agent)).toContain('tunnels.web.target is \\"nowhere\\"');
    expect((await freshClient.get('/', big)).status).toBe(431);
    expect((await apiClient.get('/')).text).toBe('api');

    // A tunnel less: what it has in flight ends well, and new requests are told that nobody serves it.
    files.writeAgent(ports.grpc, { web: tunnels.web });
    await reload(agent, '"msg":"reloaded"');
    await eventually('api.test is served by nobody', async () => (await apiClient.get('/')).status === 503);
    const echo = nextMessage(socket);
    socket.send('still here');
    expect((await echo).toString()).toBe('still here');
    send();
    await load.more(50);

    end();
    const hash = (data: Buffer) => createHash('sha256').update(data).digest('hex');
    expect(hash((await whole).body)).toBe(hash(Buffer.concat([piece, piece, piece, piece])));
    socket.close();
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(await agent.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await edge.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('T8 replaces the routing strategy and the auth providers while requests go on', async () => {
    await using home = new GiraffeHome();
    await using web = await startHttpOrigin((_request, response) => response.end('web'));
    const files = new Files(home);
    files.writeEdge({});
    const edge = home.run(['server', 'start', '--json', '--config', files.edge]);
    const { ports } = (await edge.event('ready')) as unknown as { ports: { proxy: number; grpc: number } };
    files.writeAgent(ports.grpc, { web: { domain: 'app.test', target: web.port } });
    const agent = home.run(['tunnel', 'web', '--json', '--config', files.agent]);
    await servesHybrid(agent);
    const load = startLoad(ports.proxy, { host: 'app.test', path: '/x/' });
    await load.more(20);
    const transports = () => [...edge.stderr.matchAll(/"path":"\/x\/".*?"transport":"(\w+)"/g)].map(([, name]) => name);
    await eventually('requests go over gRPC', () => transports().includes('grpc'));
    expect(transports()).not.toContain('tcp');
    const config = {
      routing: { options: { forceTcpPaths: ['/x/'] } },
      auth: [{ provider: 'tokens' }, { provider: 'nobody' }],
    };
    writeFileSync(files.edge, JSON.stringify(config));
    await reload(edge, 'reload refused');
    expect(told(edge)).toMatch(/no auth provider named nobody; there is .*tokens/);
    writeFileSync(files.edge, JSON.stringify({ ...config, auth: [{ provider: 'tokens' }] }));
    await reload(edge, '"msg":"reloaded"');
    await load.more(50);
    await eventually('requests go over TCP', () => transports().at(-1) === 'tcp');
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(agent.events.filter(({ event }) => event === 'reconnecting')).toEqual([]);
  });

  it('T8 ends an agent that has no configuration file, as it ends any other program', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const agent = await home.startAgent(edge, 3000);
    expect(await agent.end('SIGHUP')).toEqual({ code: null, signal: 'SIGHUP' });
  });
});
