/** Requests to an endpoint that the operator has disconnected wait for nobody; for an agent that was lost they do. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type HttpAnswer, HttpClient } from '../support/http-client.ts';
import { startLinks } from '../support/links.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { tunnelsTo } from '../support/two-tunnels.ts';
import { startTestAgent, startTestEdge, type TestEdge } from '../support/world.ts';

/** Longer than a test has: whoever waits for it fails. */
const reconnectGraceMs = 600_000;

const startOrigin = () => startHttpOrigin((_request, response) => void response.end('x'));

async function ask({ edge }: TestEdge, host: string): Promise<HttpAnswer> {
  using client = new HttpClient(edge.ports.proxy, host);
  return await client.get('/');
}

/** Resolves when so many requests to an endpoint are at the edge. */
function inFlight({ edge }: TestEdge, domain: string, count: number): Promise<void> {
  return eventually('the requests', () => edge.stats().some((one) => one.domain === domain && one.inFlight === count));
}

function expectNobody({ status, text }: HttpAnswer): void {
  expect(status).toBe(503);
  expect(text).toContain('GIR_ERR_NO_UPSTREAM');
}

describe('a request to an endpoint that the operator disconnected', () => {
  it('S3 is refused at once, whether its agents serve others on or have ended', async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge({ reconnectGraceMs });
    const { ports } = server.edge;
    await using several = await startTestAgent(ports, 'a.test', origin.target, tunnelsTo(origin.target));
    await using single = await startTestAgent(ports, 'a.test', origin.target);
    expect(server.edge.disconnect('a.test')).toBe(2);
    expectNobody(await ask(server, 'a.test'));
    expect((await ask(server, 'b.test')).status).toBe(200);
    await several.event('withdrawn');
    await single.agent.closed;
    server.edge.disconnect('b.test');
    expectNobody(await ask(server, 'b.test'));
  });

  it('S3 is refused at once when it waits for a place', async () => {
    await using origin = await startHttpOrigin((request, response) => {
      if (request.url === '/slow') response.write('half');
      else response.end('x');
    });
    await using server = await startTestEdge({ reconnectGraceMs, maxStreams: 1 });
    await using agent = await startTestAgent(server.edge.ports, 'a.test', origin.target, tunnelsTo(origin.target));
    using client = new HttpClient(server.edge.ports.proxy, 'a.test');
    const slow = client.open('GET', '/slow');
    slow.outgoing.end();
    await slow.answer;
    const waiting = ask(server, 'a.test');
    await inFlight(server, 'a.test', 2);
    server.edge.disconnect('a.test');
    expectNobody(await waiting);
    await agent.event('withdrawn');
  });

  it('S3 is refused at once when it waits for an agent that was lost', async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge({ reconnectGraceMs });
    await using links = await startLinks(server.edge.ports);
    await using _agent = await startTestAgent(server.edge.ports, 'a.test', origin.target, { server: links.server });
    links.both('refuse');
    links.both('cut');
    await eventually('the loss', () => server.edge.sessions().length === 0);
    const waiting = ask(server, 'a.test');
    await inFlight(server, 'a.test', 1);
    server.edge.disconnect('a.test');
    expectNobody(await waiting);
  });

  it('S3 waits again for an agent that has opened it since', async () => {
    await using origin = await startOrigin();
    await using server = await startTestEdge({ reconnectGraceMs });
    await using links = await startLinks(server.edge.ports);
    await using former = await startTestAgent(server.edge.ports, 'a.test', origin.target);
    server.edge.disconnect('a.test');
    await former.agent.closed;
    await using _agent = await startTestAgent(server.edge.ports, 'a.test', origin.target, { server: links.server });
    links.both('refuse');
    links.both('cut');
    await eventually('the loss', () => server.edge.sessions().length === 0);
    const waiting = ask(server, 'a.test');
    await inFlight(server, 'a.test', 1);
    links.both('accept');
    expect((await waiting).status).toBe(200);
  });
});
