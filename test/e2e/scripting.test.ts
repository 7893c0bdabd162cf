/** What scripts rely on: NDJSON, quiet pipes, no colour where none is wanted. */
import { describe, expect, it } from 'vitest';
import { anyPorts, type ChildProgram, GiraffeHome } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';

const escapeCharacter = '\u001b';

/** Returns the names of all events; every line of stdout has to be one. */
function eventNames({ events, stdout }: ChildProgram): string[] {
  expect(stdout).toMatch(/\n$/);
  for (const event of events) expect(event).toMatchObject({ v: 1, event: expect.any(String) });
  return events.map(({ event }) => event);
}

describe('--json', () => {
  it('O6 is NDJSON and nothing else on stdout, for edge and agent, from start to end', async () => {
    await using home = new GiraffeHome();
    await using origin = await startHttpOrigin((_request, response) => response.end('x'));
    const edge = await home.startEdge(['--log-level', 'debug']);
    const agent = await home.startAgent(edge, origin.port, ['--domain', 'app.localhost', '--log-level', 'debug']);
    using client = new HttpClient(edge.ports.proxy, 'app.localhost');
    await client.get('/a?b=c');
    expect(await agent.event('request')).toMatchObject({
      method: 'GET',
      path: '/a',
      domain: 'app.localhost',
      status: 200,
      carrier: 'grpc',
    });
    expect(await agent.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(await edge.process.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(eventNames(edge.process)).toEqual(['ready']);
    const names = eventNames(agent);
    expect(names[0]).toBe('connecting');
    expect(names.slice(-3)).toEqual(['request', 'draining', 'closed']);
  });

  it('O6 an agent tells url, domain and mode when it is ready', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const agent = await home.startAgent(edge, 9, ['--domain', 'app.localhost']);
    const { url } = await agent.event('ready');
    expect(url).toBe(`http://app.localhost:${edge.ports.proxy}`);
    expect(agent.events.find(({ event }) => event === 'ready')).toMatchObject({
      domain: 'app.localhost',
      tunnels: [{ domain: 'app.localhost', url, target: 'http://localhost:9' }],
    });
  });

  it('O6 a failure is one event on stdout', async () => {
    await using home = new GiraffeHome();
    const agent = home.run(['tunnel', '3000', '--json', '--nonsense']);
    expect(await agent.ended()).toMatchObject({ code: 2 });
    expect(agent.events).toEqual([
      {
        v: 1,
        event: 'error',
        code: 'GIR_ERR_USAGE',
        message: expect.stringContaining('there is no flag --nonsense'),
        fix: expect.stringContaining('giraffe tunnel --help'),
      },
    ]);
    expect(agent.stderr).toBe('');
  });
});

describe('a reader that goes away', () => {
  it('O6 is no failure of --help', async () => {
    await using home = new GiraffeHome();
    const help = home.shell('giraffe tunnel --help | head -1');
    expect(await help.ended()).toEqual({ code: 0, signal: null });
    expect(help.stdout).toBe('Make a service on this machine reachable through an edge.\n');
    expect(help.stderr).toBe('');
  });

  it('O6 is no failure of an agent, which serves on', async () => {
    await using home = new GiraffeHome();
    await using origin = await startHttpOrigin((_request, response) => response.end('x'));
    const edge = await home.startEdge();
    const agent = await home.startAgent(edge, origin.port, ['--domain', 'app.localhost']);
    agent.child.stdout?.destroy();
    using client = new HttpClient(edge.ports.proxy, 'app.localhost');
    for (let count = 0; count < 5; count += 1) expect((await client.get('/')).status).toBe(200);
    expect(await agent.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(agent.stderr).toBe('');
  });
});

describe('colour', () => {
  it('O6 no escape code is printed without a terminal', async () => {
    await using home = new GiraffeHome();
    await using origin = await startHttpOrigin((_request, response) => response.end('x'));
    const env = { TERM: 'xterm-256color' };
    const edge = home.run(['server', 'start', ...anyPorts], { env });
    await edge.prints(/gRPC tunnel +port (\d+)/);
    const port = /gRPC tunnel +port (\d+)/.exec(edge.stderr)?.[1] ?? '';
    const agent = home.run(['tunnel', String(origin.port), '--server', `localhost:${port}`], { env });
    await agent.prints(' -> ');
    const help = home.run(['server', 'start', '--help'], { env });
    await help.ended();
    expect(edge.output + agent.output + help.output).not.toContain(escapeCharacter);
  });

  it('O6 a terminal gets colour, but none with NO_COLOR', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const tunnel = `giraffe tunnel 9 --server localhost:${edge.ports.grpc}`;
    const inTerminal = (variables: string) =>
      home.shell(`script -qec "stty cols 80; ${variables} TERM=xterm-256color ${tunnel}" /dev/null`);
    const colourful = inTerminal('');
    const plain = inTerminal('NO_COLOR=1');
    await Promise.all([colourful.prints('Nothing answers'), plain.prints('Nothing answers')]);
    const colour = /\u001b\[(?:3[0-9]|9[0-9])(?:;[0-9]+)*m/;
    expect(colourful.output).toMatch(colour);
    expect(plain.output).not.toMatch(colour);
    expect(plain.output).toContain('HYBRID MODE ACTIVE');
  });
});
