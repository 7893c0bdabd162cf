/** Every `giraffe …` line that people are told to use names a command and flags that exist. */
import { describe, expect, it } from 'vitest';
import { filesBelow, readText } from '../support/repository.ts';

interface Manifest {
  readonly commands: Readonly<Record<string, Command>>;
}

interface Command {
  readonly flags: Readonly<Record<string, object>>;
  readonly examples?: readonly string[];
}

const { commands } = JSON.parse(readText('oclif.manifest.json')) as Manifest;
const topics = new Set(Object.keys(commands).flatMap((id) => id.split(':').slice(0, -1)));
/** Commands of oclif's own plugins, which the manifest leaves out. */
const foreign = /^(?:plugins|help)\b/;
const pages = [...filesBelow('', '.md').filter((page) => page !== 'CHANGELOG.md'), ...filesBelow('deploy', '')];

/** A line that is a command, perhaps behind a prompt, a comment sign, variables or what runs it. */
const commandLine =
  /^[\s#$`]*(?:source <\()?(?:[A-Z_]+=\S* )*(?:npx |ExecStart=\S+ |docker compose exec edge )?giraffe ([^#`]+)/;

/** Returns what stands behind `giraffe` in each command of a page: in code blocks and spans, settings and their comments. */
function commandsIn(page: string): string[] {
  const text = readText(page).replaceAll(/\\\n(?:#\s*)?/g, ' ');
  const pieces = page.endsWith('.md') ? codeOf(text) : text.split('\n');
  return pieces.flatMap((piece) => commandLine.exec(piece)?.[1]?.trim() ?? []);
}

function codeOf(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```(?:sh|bash|console)\n(.*?)^```/gms)].map(([, block = '']) => block);
  const spans = [...markdown.matchAll(/`(giraffe [^`\n]+)`/g)].map(([, span = '']) => span);
  return [...blocks.join('\n').split('\n'), ...spans];
}

/** Returns the longest id of a command with which a line begins. */
function commandOf(line: string): string | undefined {
  const words = line.split(/\s+/);
  for (let count = Math.min(3, words.length); count > 0; count -= 1) {
    const id = words.slice(0, count).join(':');
    if (Object.hasOwn(commands, id)) return id;
  }
  return undefined;
}

function faultsOf(line: string): string[] {
  const own = line.split(/\s--(?:\s|$)/, 1)[0] ?? '';
  if (own.startsWith('-') || foreign.test(own) || own.includes('…')) return [];
  const id = commandOf(own);
  if (topics.has(own)) return [];
  if (id === undefined) return [`no command: giraffe ${line}`];
  const flags = commands[id]?.flags ?? {};
  const used = [...own.matchAll(/(?<=\s)--([a-z][a-z-]*)/g)].map(([, flag = '']) => flag);
  const known = (flag: string): boolean => flag === 'help' || Object.hasOwn(flags, flag);
  return used.filter((flag) => !known(flag)).map((flag) => `no flag --${flag}: giraffe ${line}`);
}

describe('commands in docs, examples of settings and service files', () => {
  it('exist, with their flags', () => {
    const lines = pages.flatMap((page) => commandsIn(page).map((line) => ({ page, line })));
    expect(lines.length).toBeGreaterThan(30);
    expect(lines.flatMap(({ page, line }) => faultsOf(line).map((fault) => `${page}: ${fault}`))).toEqual([]);
  });

  it('exist, with their flags, in what --help shows as examples', () => {
    const lines = Object.entries(commands).flatMap(([id, { examples = [] }]) =>
      examples.map((text) =>
        text.replaceAll('<%= config.bin %>', 'giraffe').replaceAll('<%= command.id %>', id.replaceAll(':', ' ')),
      ),
    );
    const told = lines.map((line) => commandLine.exec(line)?.[1]?.trim() ?? `not a command: ${line}`);
    expect(told.length).toBeGreaterThan(30);
    expect(told.flatMap(faultsOf)).toEqual([]);
  });

  it('are scripts of package.json where npm runs them', () => {
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: Readonly<Record<string, string>> };
    const named = [...pages, 'Makefile'].flatMap((page) =>
      [...readText(page).matchAll(/npm run ([\w:-]+)/g)].map(([, script = '']) => script),
    );
    expect(named).toContain('test:unit');
    // In recipes for CI, `e2e` is the reader's own.
    expect(named.filter((script) => script !== 'e2e' && !Object.hasOwn(scripts, script))).toEqual([]);
  });
});
