/** S1: whom an agent believes, as a user meets it: an edge of another machine, and no CA given. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GiraffeHome } from '../support/giraffe-process.ts';
import { HttpClient } from '../support/http-client.ts';
import { startHttpOrigin } from '../support/origins.ts';

describe('an edge whose CA the agent does not know', () => {
  it('S1 is refused by default, and --insecure takes it with a warning', async () => {
    await using there = new GiraffeHome();
    await using here = new GiraffeHome();
    await using origin = await startHttpOrigin((_request, response) => response.end('ok'));
    const { ports } = await there.startEdge();
    const args = ['tunnel', String(origin.port), '--server', `localhost:${ports.grpc}`, '--domain', 'app.localhost'];
    const token = ['--token-file', join(there.stateDir, 'agent-token')];

    const refused = here.run([...args, ...token, '--timeout', '2s']);
    expect(await refused.ended()).toEqual({ code: 6, signal: null });
    expect(refused.stderr).toContain('GIR_ERR_EDGE_CERTIFICATE');
    expect(refused.output).not.toMatch(/--insecure does not verify|HYBRID/);

    const warned = here.run([...args, ...token, '--insecure']);
    await warned.prints('HYBRID MODE ACTIVE');
    expect(warned.stderr).toMatch(/^Warning: --insecure does not verify the edge's certificate: /m);
    using client = new HttpClient(ports.proxy, 'app.localhost');
    expect((await client.get('/')).text).toBe('ok');
  });
});

describe("gRPC's own variable for roots", () => {
  it('S1 means nothing to an agent, which has a CA of its own for both ways', async () => {
    await using home = new GiraffeHome();
    await using origin = await startHttpOrigin((_request, response) => response.end('ok'));
    const edge = await home.startEdge();
    const env = { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: join(home.path, 'missing.pem') };
    await home.startAgent(edge, origin.port, ['--domain', 'app.localhost'], { env });
  });
});
