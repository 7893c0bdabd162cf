/** docs/ci.md and action.yml: every command in them does what they say. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultLoadersSync } from 'cosmiconfig';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endProcess } from '../../src/host/agent/running/agent-process.ts';
import { listRunningAgents } from '../../src/state/running-agents.ts';
import { type ChildProgram, GiraffeHome, type RunningEdge } from '../support/giraffe-process.ts';
import { type Origin, startHttpOrigin } from '../support/origins.ts';
import { readText } from '../support/repository.ts';

const page = readText('docs/ci.md');

/** Returns the code blocks of a language, in order. */
function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code);
}

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, string | number>>;
}

interface Yaml {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly steps: readonly [Step] };
  readonly jobs: { readonly e2e: { readonly steps: readonly Step[] } };
  readonly e2e: { readonly script: readonly string[] };
}

const yaml = (text: string): Yaml => defaultLoadersSync['.yaml']('page.yaml', text) as Yaml;

let home: GiraffeHome;
let origin: Origin;
let edge: RunningEdge;
let outputs: string;

beforeEach(async () => {
  home = new GiraffeHome();
  origin = await startHttpOrigin((_request, response) => response.end('from the service\n'));
  edge = await home.startEdge();
  outputs = join(home.path, 'outputs');
  // What the recipes take from npm: our own program, a service that runs already, and a test that asks for a page.
  program('npx', 'shift 2; exec giraffe "$@"');
  program('npm', '[ "$1" = start ] || exec curl -fsS "$BASE_URL$GIRAFFE_URL"');
});

afterEach(async () => {
  for (const { pid } of await listRunningAgents(home.stateDir)) await endProcess(pid, 0);
  await home[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

function program(name: string, line: string): void {
  const file = join(home.path, 'bin', name);
  writeFileSync(file, `#!/bin/sh\n${line}\n`);
  chmodSync(file, 0o755);
}

/** Runs a script as GitHub does, with the port of our service and our edge. */
function run(script: string, env: NodeJS.ProcessEnv = {}): ChildProgram {
  const file = join(home.path, 'script.sh');
  writeFileSync(file, script.replaceAll(' 3000 ', ` ${origin.port} `));
  return home.shell(`exec bash --noprofile --norc -eo pipefail ${file}`, {
    env: { GIRAFFE_SERVER: `localhost:${edge.ports.grpc}`, GITHUB_OUTPUT: outputs, ...env },
  });
}

async function succeeds(script: string, env: NodeJS.ProcessEnv = {}): Promise<ChildProgram> {
  const ran = run(script, env);
  expect({ ...(await ran.ended()), stderr: ran.stderr }).toMatchObject({ code: 0 });
  return ran;
}

/** Returns the text with what GitHub would put for `${{ … }}`. */
function filledIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{\{ *([\w.-]+) *\}\}/g, (_, name: string) => values[name] ?? '');
}

function stepOutputs(): Record<string, string> {
  const lines = readFileSync(outputs, 'utf8').trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

describe('docs/ci.md', () => {
  it('O6 has a shell recipe for a command, for steps, and for files, and each works', async () => {
    const [token = '', wrapper = '', steps = '', files = '', own = '', ...rest] = blocks('sh');
    expect(rest).toEqual([]);
    expect((await succeeds(token)).stdout).toMatch(/^grf_/);
    expect((await succeeds(wrapper)).stdout).toBe('from the service\n');
    expect((await succeeds(steps)).stdout).toMatch(/^from the service\nNAME .*\n- .*hybrid/);
    expect((await succeeds(files)).stdout).toMatch(/^http.*\nfrom the service\n$/);
    expect(await listRunningAgents(home.stateDir)).toEqual([]);
    expect(own).toContain('giraffe server start');
  });

  it('O6 has a recipe with an edge for the job alone, and it works', async () => {
    const own = blocks('sh').at(-1) ?? '';
    await edge.process.end('SIGTERM');
    const { grpc, tunnel } = edge.ports;
    const ports = { PROXY_PORT: '0', API_PORT: '0', TUNNEL_PORT: String(tunnel), GRPC_TUNNEL_PORT: String(grpc) };
    const ran = await succeeds(own, ports);
    expect(ran.stdout).toBe('from the service\n');
  });

  it('O6 has recipes for GitHub Actions and GitLab, and each works', async () => {
    const [, github = '', gitlab = ''] = blocks('yaml');
    const env = { GIRAFFE_TOKEN: readFileSync(join(home.stateDir, 'agent-token'), 'utf8').trim() };
    for (const step of yaml(github).jobs.e2e.steps) {
      const url = step.env === undefined ? '' : (stepOutputs()['url'] ?? '');
      const ran = await succeeds(`${step.run} `, { ...env, ...(url === '' ? {} : { BASE_URL: url }) });
      if (url !== '') expect(ran.stdout).toBe('from the service\n');
    }
    const script = yaml(gitlab).e2e.script.join('\n');
    expect((await succeeds(script, env)).stdout).toBe('from the service\n');
  });
});

describe('action.yml', () => {
  it('O6 opens a tunnel with the inputs of the recipe, and tells url and domain', async () => {
    const { inputs, outputs: told, runs } = yaml(readText('action.yml'));
    const [step] = runs.steps;
    const use = yaml(blocks('yaml')[0] ?? '').jobs.e2e.steps.find(({ uses }) => uses?.includes('giraffe'));
    const given = Object.keys(use?.with ?? {});
    expect(given.filter((name) => !Object.hasOwn(inputs, name))).toEqual([]);
    const token = readFileSync(join(home.stateDir, 'agent-token'), 'utf8').trim();
    const values = {
      ...Object.fromEntries(Object.entries(inputs).map(([name, input]) => [`inputs.${name}`, input.default ?? ''])),
      'inputs.target': String(origin.port),
      'inputs.server': `localhost:${edge.ports.grpc}`,
      'inputs.token': token,
      'inputs.domain': 'action.localhost',
    };
    const env = Object.entries(step.env ?? {}).map(([name, value]) => [name, filledIn(value, values)]);
    expect(step.run).not.toContain('${{');
    const ran = await succeeds(step.run ?? '', Object.fromEntries(env));
    const url = `http://action.localhost:${edge.ports.proxy}`;
    expect(ran.stdout).toBe(`${url}\n`);
    expect(stepOutputs()).toEqual({ url, domain: 'action.localhost' });
    expect(Object.keys(told)).toEqual(['url', 'domain']);
    expect((await listRunningAgents(home.stateDir))[0]?.tunnels[0]?.url).toBe(url);
  });
});
