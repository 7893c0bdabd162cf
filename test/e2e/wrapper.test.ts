/** `giraffe tunnel 3000 -- command`: exit statuses, streams, signals, and that nothing is left running. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRunning } from '../../src/state/process-identity.ts';
import { eventually } from '../support/eventually.ts';
import { type ChildProgram, GiraffeHome, type RunningEdge } from '../support/giraffe-process.ts';
import { type Origin, startHttpOrigin } from '../support/origins.ts';

let home: GiraffeHome;
let edge: RunningEdge;
let origin: Origin;

beforeAll(async () => {
  home = new GiraffeHome();
  origin = await startHttpOrigin((request, response) => {
    response.statusCode = request.url === '/404' ? 404 : 200;
    response.end('from the service\n');
  });
  edge = await home.startEdge();
});

afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

/** Starts the agent with a command. `{port}` and such are not replaced: the command is what a shell would see. */
function wrap(command: readonly string[], flags: readonly string[] = []): ChildProgram {
  const server = `localhost:${edge.ports.grpc}`;
  return home.run(['tunnel', String(origin.port), '--server', server, '--no-inspect', ...flags, '--', ...command]);
}

const shell = (line: string, flags: readonly string[] = []) => wrap(['sh', '-c', line], flags);

/** Resolves when none of these processes runs any more. */
async function gone(...pids: readonly number[]): Promise<void> {
  await eventually(`the end of ${pids.join(', ')}`, () => !pids.some(isRunning));
}

/** Returns the process ids that a command has printed, one a line. */
async function printedPids(program: ChildProgram, count: number): Promise<number[]> {
  const pids = () => program.stdout.split('\n').slice(0, -1).map(Number);
  await program.until(`${count} process ids`, () => pids().length === count);
  return pids();
}

describe('the exit status with a command', () => {
  it("O6 is 0 when curl gets an answer through GIRAFFE_URL, and stdout is curl's alone", async () => {
    const program = shell('curl -fsS $GIRAFFE_URL && echo $GIRAFFE_DOMAIN', ['--domain', 'app.localhost']);
    expect(await program.ended()).toEqual({ code: 0, signal: null });
    expect(program.stdout).toBe('from the service\napp.localhost\n');
    expect(program.stderr).toContain('HYBRID MODE ACTIVE');
    expect(program.stderr).toContain(`http://app.localhost:${edge.ports.proxy} -> `);
  });

  it.each([
    ['of a command that fails', 'curl -fsS $GIRAFFE_URL/404', 22],
    ['of a command that chooses it', 'exit 3', 3],
    ['128 and the number of the signal that ends the command', 'kill -KILL $$', 137],
  ])('O6 is that %s', async (_what, line, code) => {
    expect(await shell(line).ended()).toEqual({ code, signal: null });
  });

  it('O6 is 127 for a command that does not exist and 126 for one that cannot be run', async () => {
    const file = join(home.path, 'no-program');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    const [unknown, refused] = [wrap(['giraffe-none']), wrap([file])];
    expect(await unknown.ended()).toEqual({ code: 127, signal: null });
    expect(unknown.stderr).toContain('Error: giraffe-none is not found (GIR_ERR_COMMAND_UNKNOWN)');
    expect(await refused.ended()).toEqual({ code: 126, signal: null });
    expect(refused.stderr).toContain('cannot be run (EACCES)');
  });

  it('O6 is 125, and the command does not run, when the edge is down, refuses, or the usage is wrong', async () => {
    const command = ['--', 'sh', '-c', 'echo ran; touch ran'];
    const down = home.run(['tunnel', '1', '--server', 'localhost:9', '--timeout', '500ms', ...command]);
    const env = { GIRAFFE_TOKEN: `grf_${'A'.repeat(43)}` };
    const refused = home.run(['tunnel', '1', '--server', `localhost:${edge.ports.grpc}`, ...command], { env });
    const wrong = home.run(['tunnel', '1', '--nonsense', ...command]);
    const empty = home.run(['tunnel', '1', '--']);
    for (const program of [down, refused, wrong, empty]) {
      expect(await program.ended()).toEqual({ code: 125, signal: null });
      expect(program.stdout).toBe('');
    }
    expect(down.stderr).toMatch(/no tunnel to localhost:9 within 500 ms/);
    expect(refused.stderr).toMatch(/refused the token/);
    expect(empty.stderr).toMatch(/there is no command behind --/);
    expect(() => readFileSync(join(home.path, 'ran'))).toThrow('ENOENT');
  });
});

describe('a command', () => {
  it('O6 has our stdin, and what stands behind -- is all its own', async () => {
    const server = `localhost:${edge.ports.grpc}`;
    const args = ['tunnel', String(origin.port), '--server', server, '--no-inspect', '--'];
    const program = home.run([...args, 'sh', '-c', 'cat; printf "%s\\n" "$@"', '--help', '--json', '--', 'a b'], {
      stdin: 'from stdin\n',
    });
    expect(await program.ended()).toEqual({ code: 0, signal: null });
    expect(program.stdout).toBe('from stdin\n--json\n--\na b\n');
  });

  it('O6 can be a Node program: fetch knows names below localhost, whatever the resolver', async () => {
    const program = wrap([
      'node',
      '-e',
      'fetch(process.env.GIRAFFE_URL).then(async (r) => console.log(await r.text()))',
    ]);
    expect(await program.ended()).toEqual({ code: 0, signal: null });
    expect(program.stdout).toBe('from the service\n\n');
  });

  it('O6 --json writes events to stderr, where nothing else is', async () => {
    const program = shell('curl -fsS $GIRAFFE_URL', ['--json', '--domain', 'json.localhost']);
    expect(await program.ended()).toEqual({ code: 0, signal: null });
    expect(program.stdout).toBe('from the service\n');
    const events = program.stderr
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event);
    expect(events).toEqual(expect.arrayContaining(['connecting', 'ready', 'closed']));
  });
});

describe('the end of a command', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'O6 %s to giraffe is passed on, and its status is told',
    async (signal) => {
      const program = shell('echo $$; while :; do sleep 0.05; done');
      const [pid = 0] = await printedPids(program, 1);
      process.kill(program.pid, signal);
      const code = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }[signal];
      expect(await program.ended()).toEqual({ code, signal: null });
      await gone(pid, program.pid);
    },
  );

  it('O6 a command that handles the signal decides about its status', async () => {
    const program = shell('trap "exit 9" TERM; echo $$; while :; do sleep 0.05; done');
    await printedPids(program, 1);
    process.kill(program.pid, 'SIGTERM');
    expect(await program.ended()).toEqual({ code: 9, signal: null });
  });

  it('O6 leaves nothing running that the command has started, whether it ends by itself or by a signal', async () => {
    const left = shell('sleep 1000 & echo $!; (sleep 1000 & echo $!); exit 5');
    expect(await left.ended()).toEqual({ code: 5, signal: null });
    await gone(...(await printedPids(left, 2)));

    const signalled = shell('sleep 1000 & echo $!; sleep 1000');
    const pids = await printedPids(signalled, 1);
    process.kill(signalled.pid, 'SIGTERM');
    expect(await signalled.ended()).toEqual({ code: 143, signal: null });
    await gone(...pids);
  });

  it('O6 comes when the edge refuses the agent for good, with 125', async () => {
    const create = home.run(['token', 'create', '--name', 'short-lived']);
    await create.ended();
    const server = `localhost:${edge.ports.grpc}`;
    const program = home.run(
      ['tunnel', '1', '--server', server, '--no-inspect', '--', 'sh', '-c', 'echo $$; while :; do sleep 0.05; done'],
      { env: { GIRAFFE_TOKEN: create.stdout.trim() } },
    );
    const [pid = 0] = await printedPids(program, 1);
    await home.run(['token', 'revoke', 'short-lived']).ended();
    expect(await program.ended()).toEqual({ code: 125, signal: null });
    expect(program.stderr).toMatch(/GIR_ERR_CREDENTIALS_REFUSED/);
    await gone(pid);
  });

  it('O6 comes when --max-lifetime is over', async () => {
    const program = shell('echo $$; while :; do sleep 0.05; done', ['--max-lifetime', '300ms']);
    expect(await program.ended()).toEqual({ code: 143, signal: null });
    expect(program.stderr).toContain('The tunnel has been up for 0.3 s, its --max-lifetime.');
  });
});

describe('with a terminal', () => {
  it('O6 Ctrl-C reaches the command once, and giraffe waits for it', async () => {
    const server = `localhost:${edge.ports.grpc}`;
    // Once interrupted it goes on for half a second, in which a second signal would come.
    const line = [
      'trap "echo interrupted; seen=yes" INT',
      'echo waiting',
      'until [ -n "$seen" ]; do sleep 0.05; done',
      'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.05; done',
      'exit 4',
    ].join('\n');
    const script = join(home.path, 'job.sh');
    writeFileSync(script, line);
    const command = `giraffe tunnel ${origin.port} --server ${server} --no-inspect -- sh ${script}`;
    // `script` gives it a terminal; what is typed there comes from our stdin, and stays open until the end.
    const typed = `(until grep -q waiting out; do sleep 0.05; done; printf '\\003'; sleep 2) | script -qefc 'exec ${command}' out`;
    const program = home.shell(typed);
    await program.ended();
    const shown = readFileSync(join(home.path, 'out'), 'utf8');
    expect(shown.match(/interrupted/g)).toHaveLength(1);
    expect(shown).toMatch(/COMMAND_EXIT_CODE="4"/);
  });
});
