/** `giraffe completion`: real shells complete with the scripts that it prints. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GiraffeHome } from '../support/giraffe-process.ts';
import { hasPrograms } from '../support/programs.ts';
import { root } from '../support/repository.ts';

/** A line up to the cursor, in the words that a shell takes it apart into, and what must be offered, in any order. */
type Case = readonly [words: readonly string[], offered: readonly string[]];

const commands: readonly Case[] = [
  [['giraffe', 'se'], ['server']],
  [['giraffe', 'server', ''], ['start']],
  [['giraffe', 'tunnel', 'l'], ['list']],
  [
    ['giraffe', 'tunnel', ''],
    ['list', 'stop'],
  ],
  [['giraffe', 'help', 'token', 'r'], ['revoke']],
  [['giraffe', 'explain', 'GIR_ERR_NO_'], ['GIR_ERR_NO_UPSTREAM']],
  [
    ['giraffe', 'explain', 'ro'],
    ['round-trip', 'route'],
  ],
  [
    ['giraffe', 'completion', ''],
    ['bash', 'fish', 'zsh'],
  ],
  [['giraffe', 'nonsense', ''], []],
];

const flags: readonly Case[] = [
  [
    ['giraffe', 'tunnel', '--do'],
    ['--domain', '--dotenv-file'],
  ],
  [['giraffe', 'tunnel', '3000', '--dom'], ['--domain']],
  [['giraffe', 'tunnel', '3000', '--domain', 'app.test', '--json', '--wa'], ['--wait-ready']],
  [['giraffe', 'tunnel', 'list', '--j'], ['--json']],
  [['giraffe', 'server', 'start', '--grpc-po'], ['--grpc-port']],
  [['giraffe', 'explain', 'route', '--me'], ['--method']],
  [['giraffe', '--'], []],
];

const values: readonly Case[] = [
  [
    ['giraffe', 'tunnel', '3000', '--transport', ''],
    ['auto', 'grpc', 'tcp'],
  ],
  [['giraffe', 'tunnel', '3000', '--wait-ready', 'o'], ['origin']],
  [['giraffe', 'server', 'start', '--log-level', 'w'], ['warn']],
  [['giraffe', 'bench', '--scenario', 'h'], ['head-of-line']],
  [['giraffe', 'tunnel', '3000', '--domain', ''], []],
  [['giraffe', 'tunnel', '--config', 'with '], ['with space.yaml']],
  [['giraffe', 'config', 'validate', 'with'], ['with space.yaml']],
];

/** The line of a shell program that prints what bash offers. */
function bashOffer(words: readonly string[]): string {
  return `COMP_WORDS=(${quoted(words)}); COMP_CWORD=${words.length - 1}; _giraffe; printf '%s\\n' "\${COMPREPLY[@]}"`;
}

/** The same for zsh. */
function zshOffer(words: readonly string[]): string {
  return `words=(${quoted(words)}); CURRENT=${words.length}; PREFIX=${quoted(words.slice(-1))}; _giraffe`;
}

/** The same for fish, which completes a line as it does in a terminal. It prints a meaning behind a tab. */
function fishOffer(words: readonly string[]): string {
  const line = words.map((word) => word.replaceAll(' ', '\\ ')).join(' ');
  return `complete --do-complete '${line.replaceAll('\\', '\\\\')}' | string replace --regex '\\t.*' ''`;
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(' ');
}

/** Writes the script for a shell into a home folder. */
async function install(home: GiraffeHome, shell: string): Promise<void> {
  writeFileSync(join(home.path, 'with space.yaml'), '');
  const completion = home.run(['completion', shell]);
  expect(await completion.ended(), completion.output).toEqual({ code: 0, signal: null });
  writeFileSync(join(home.path, 'completion'), completion.stdout);
}

/** Names that come and go: {@link startNamed} has two tunnels in its file, of which one runs, and tokens. */
const names: readonly Case[] = [
  [
    ['giraffe', 'tunnel', 'stop', ''],
    ['app.localhost', 'web'],
  ],
  [['giraffe', 'tunnel', 'stop', 'a'], ['app.localhost']],
  [
    ['giraffe', 'tunnel', ''],
    ['api', 'list', 'stop', 'web'],
  ],
  [['giraffe', 'token', 'revoke', 'c'], ['ci']],
  [['giraffe', 'stats', '--domain', ''], ['app.localhost']],
  [['giraffe', 'tunnel', 'stop', '--state-dir', '/nowhere', ''], []],
];

/** Starts an edge and an agent in a home folder whose configuration file and tokens have names. */
async function startNamed(home: GiraffeHome): Promise<void> {
  const tunnels = { web: { target: '1', domain: 'app.localhost' }, api: { target: '2' } };
  writeFileSync(join(home.path, 'giraffe.config.json'), JSON.stringify({ tunnels }));
  const { ports } = await home.startEdge();
  for (const name of ['ci', 'with space']) {
    const made = home.run(['token', 'create', '--name', name]);
    expect(await made.ended(), made.output).toEqual({ code: 0, signal: null });
  }
  const agent = home.run(['tunnel', 'web', '--json', '--server', `localhost:${ports.grpc}`, '--inspect-port', '0']);
  await agent.event('ready');
}

/** Runs a shell program that prints a line of `---` before what each case offers, and compares. */
async function expectOffers(
  home: GiraffeHome,
  shell: string,
  start: string,
  cases: readonly Case[],
  one: (words: readonly string[]) => string,
) {
  writeFileSync(join(home.path, 'cases'), [start, ...cases.map(([words]) => `echo ---\n${one(words)}`)].join('\n'));
  const ran = home.shell(`${shell} cases`);
  expect(await ran.ended(), ran.output).toEqual({ code: 0, signal: null });
  expect(ran.stderr).toBe('');
  const offered = ran.stdout
    .split('---\n')
    .slice(1)
    .map((text) =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .sort(),
    );
  const wanted = cases.map(([words, wanted]) => [words.join(' '), [...wanted].sort()]);
  expect(cases.map(([words], index) => [words.join(' '), offered[index]])).toEqual(wanted);
}

describe.skipIf(!hasPrograms('bash'))('completion in bash', () => {
  it('O6 offers commands, flags before and after arguments, and values', async () => {
    await using home = new GiraffeHome();
    await install(home, 'bash');
    const cases: readonly Case[] = [
      ...commands,
      ...flags,
      ...values,
      // As bash takes words apart.
      [
        ['giraffe', 'tunnel', '--transport', '='],
        ['auto', 'grpc', 'tcp'],
      ],
      [['giraffe', 'tunnel', '--transport', '=', 'g'], ['grpc']],
      [['giraffe', 'tunnel', '3000', '--', 'print', 'with'], ['with space.yaml']],
    ];
    await expectOffers(
      home,
      'bash --noprofile --norc',
      'set -u\nsource ./completion\ncomplete -p giraffe >/dev/null',
      cases,
      bashOffer,
    );
  });
});

describe.skipIf(!hasPrograms('bash'))('names in bash', () => {
  it('O6 offers running agents, tunnels of the configuration file, tokens and endpoints', async () => {
    await using home = new GiraffeHome();
    await startNamed(home);
    await install(home, 'bash');
    const cases: readonly Case[] = [
      ...names,
      [['giraffe', 'tunnel', 'stop', '--state-dir', '=', '/nowhere', ''], []],
      [['giraffe', 'stats', '--domain', '='], ['app.localhost']],
    ];
    await expectOffers(home, 'bash --noprofile --norc', 'set -u\nsource ./completion', cases, bashOffer);
  });
});

describe.skipIf(!hasPrograms('zsh'))('completion in zsh', () => {
  /** What zsh offers from is printed, so that no terminal is needed; zsh itself leaves out what does not fit. */
  const start = `
    compdef() { [[ "$*" == "_giraffe giraffe" ]] }
    offer() { local word; for word; do [[ $word == "$PREFIX"* ]] && print -r -- "$word"; done; true }
    _describe() { local rows=("\${(@P)\${@[-1]}}"); offer "\${(@)rows%%:*}" }
    compadd() { shift; offer "$@" }
    _files() { offer *(N) }
    compset() { PREFIX=\${PREFIX#*=} }
    source ./completion
  `;

  it('O6 offers commands, flags before and after arguments, and values', async () => {
    await using home = new GiraffeHome();
    await install(home, 'zsh');
    const cases: readonly Case[] = [
      ...commands,
      ...flags,
      ...values,
      [['giraffe', 'tunnel', '--transport=g'], ['grpc']],
    ];
    await expectOffers(home, 'zsh -f', start, cases, zshOffer);
  });

  it('O6 offers running agents, tunnels of the configuration file, tokens and endpoints', async () => {
    await using home = new GiraffeHome();
    await startNamed(home);
    await install(home, 'zsh');
    const cases: readonly Case[] = [...names, [['giraffe', 'stats', '--domain=a'], ['app.localhost']]];
    await expectOffers(home, 'zsh -f', start, cases, zshOffer);
  });

  it('O6 is a script that the completion system of zsh loads', async () => {
    await using home = new GiraffeHome();
    await install(home, 'zsh');
    const ran = home.shell(
      `zsh -f -c 'autoload -Uz compinit && compinit -D -u && source ./completion && print $_comps[giraffe]'`,
    );
    expect(await ran.ended(), ran.output).toEqual({ code: 0, signal: null });
    expect(ran.output).toBe('_giraffe\n');
  });
});

describe.skipIf(!hasPrograms('fish'))('completion in fish', () => {
  const start = 'source ./completion';
  const fish = 'fish --no-config';

  it('O6 offers commands, flags before and after arguments, and values', async () => {
    await using home = new GiraffeHome();
    await install(home, 'fish');
    const cases: readonly Case[] = [
      ...commands,
      ...flags,
      ...values,
      [['giraffe', 'tunnel', '--transport=g'], ['--transport=grpc']],
      [['giraffe', 'tunnel', '--config=with'], ['--config=with space.yaml']],
      [['giraffe', 'tunnel', '3000', '--', 'print', 'with'], ['with space.yaml']],
      [['giraffe', 'tunnel', '3000', '--', 'giraffe', 'token', 'r'], ['revoke']],
    ];
    await expectOffers(home, fish, start, cases, fishOffer);
  });

  it('O6 offers running agents, tunnels of the configuration file, tokens and endpoints', async () => {
    await using home = new GiraffeHome();
    await startNamed(home);
    await install(home, 'fish');
    const cases: readonly Case[] = [...names, [['giraffe', 'stats', '--domain=a'], ['--domain=app.localhost']]];
    await expectOffers(home, fish, start, cases, fishOffer);
  });
});

describe('giraffe completion', () => {
  it('O6 makes no state folder when it looks for names', async () => {
    await using home = new GiraffeHome();
    const asked = home.run(['completion', 'names', 'endpoints', '--', 'stats', '--domain', '', '--state-dir=state']);
    expect(await asked.ended(), asked.output).toEqual({ code: 0, signal: null });
    expect(asked.output).toBe('');
    expect(existsSync(join(home.path, 'state'))).toBe(false);
  });

  it('O6 knows which plugins are linked', async () => {
    await using home = new GiraffeHome();
    const link = home.run(['plugins', 'link', join(root, 'test/fixtures/plugins/ok'), '--no-install']);
    expect(await link.ended(), link.output).toMatchObject({ code: 0 });
    const asked = home.run(['completion', 'names', 'plugins']);
    expect(await asked.ended()).toEqual({ code: 0, signal: null });
    expect(asked.stdout).toMatch(/^giraffe-plugin-ok:\S+\n$/);
  });

  it('O6 refuses a shell that it has no script for', async () => {
    await using home = new GiraffeHome();
    const refused = home.run(['completion', 'tcsh']);
    expect(await refused.ended()).toEqual({ code: 2, signal: null });
    expect(refused.stderr).toMatch(/bash, fish, zsh/);
  });
});
