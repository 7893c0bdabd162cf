/** S3, S7: the life of a token with real processes, from `giraffe token create` to the agent's exit status. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ChildProgram, GiraffeHome } from '../support/giraffe-process.ts';

async function text(program: ChildProgram, status = 0): Promise<string> {
  expect(await program.ended(), program.output).toEqual({ code: status, signal: null });
  return program.stdout.trim();
}

describe('giraffe token', () => {
  it('S3 S7 create, use, list, revoke: the agent is cut off and exits with 7', async () => {
    await using home = new GiraffeHome();
    const edge = await home.startEdge();
    const token = await text(
      home.run(['token', 'create', '--name', 'ci', '--endpoint', 'ci.test', '--expires', '30d']),
    );
    expect(token).toMatch(/^grf_[\w-]{43}$/);
    expect(await text(home.run(['token', 'list']))).toMatch(/^ID .*\n.* first .*\n.* ci +ci\.test +expires /);

    const settings = { env: { GIRAFFE_TOKEN: token } };
    const foreign = home.run(
      ['tunnel', '1', '--server', `localhost:${edge.ports.grpc}`, '--domain', 'other.test'],
      settings,
    );
    expect(await foreign.ended()).toEqual({ code: 7, signal: null });
    const domain = ['--domain', 'ci.test', '--tunnel-port', String(edge.ports.tunnel)];
    const agent = await home.startAgent(edge, 1, domain, settings);
    expect(readFileSync(`/proc/${agent.pid}/cmdline`, 'utf8')).not.toContain(token);

    const server = ['--server', `localhost:${edge.ports.grpc}`];
    const person = home.run(['tunnel', '1', ...server, ...domain], settings);
    await person.prints('HYBRID MODE ACTIVE');

    await text(home.run(['token', 'revoke', 'ci']));
    for (const program of [agent, person]) expect(await program.ended()).toEqual({ code: 7, signal: null });
    const [closed, last] = agent.events.slice(-2);
    expect(closed).toMatchObject({ event: 'closed', message: 'the credentials were revoked' });
    expect(last).toMatchObject({ event: 'error', code: 'GIR_ERR_CREDENTIALS_REFUSED' });
    expect(agent.events.filter(({ event }) => event === 'reconnecting')).toEqual([]);
    expect(person.stderr).toContain('the credentials were revoked');
    for (const program of [edge.process, agent, person, foreign]) expect(program.output).not.toContain(token.slice(4));
  });

  it('tells what is wrong, with the exit status that goes with it', async () => {
    await using home = new GiraffeHome();
    const none = home.run(['token', 'list']);
    await text(none, 3);
    expect(none.stderr).toContain('there is no state folder');
    const usage = home.run(['token', 'create', '--endpoint', 'a b', '--json']);
    await text(usage, 2);
    expect(usage.events).toMatchObject([{ event: 'error', code: 'GIR_ERR_USAGE' }]);
    const time = home.run(['token', 'create', '--expires', 'tomorrow']);
    await text(time, 2);
    expect(time.stderr).toContain('90m, 12h, 30d or 52w, at least 1m');
    await text(home.run(['token', 'create']));
    const unknown = home.run(['token', 'revoke', `grf_${'x'.repeat(43)}`]);
    await text(unknown, 1);
    expect(unknown.stderr).toContain('GIR_ERR_TOKEN_UNKNOWN');
    expect(unknown.output).not.toContain('xxxxx');
  });
});

describe('giraffe password hash', () => {
  it('reads the password from stdin and prints its hash alone', async () => {
    await using home = new GiraffeHome();
    expect(await text(home.run(['password', 'hash'], { stdin: 's3cret\n' }))).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$/);
    const empty = home.run(['password', 'hash'], { stdin: '\n' });
    await text(empty, 2);
    expect(empty.stderr).toContain('the password is empty');
  });
});
