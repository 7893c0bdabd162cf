/** O1: TypeScript in the documentation and in examples/ is what a compiler accepts, and what docs/embedding.md shows works. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { allDocBlocks, type DocBlock } from '../support/doc-blocks.ts';
import { GiraffeHome } from '../support/giraffe-process.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { filesBelow, root } from '../support/repository.ts';

const blocks = allDocBlocks().filter(({ language }) => language === 'ts');

/** The settings of a reader's project: strict, and the newest module rules of Node.js. */
const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  types: ['node'],
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
};

/** Returns what the compiler finds wrong. `texts` are files that exist in memory only, by their paths. */
function faultsOf(files: readonly string[], texts: ReadonlyMap<string, string>): string[] {
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = texts.get(path);
    return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...files, ...texts.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName.replace(root, '') ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}

/** Runs an example as its reader would, with the service and the edge of the test; returns what it prints. */
async function run(
  home: GiraffeHome,
  { text }: DocBlock,
  places: readonly (readonly [string, string])[],
  token: string,
) {
  const code = places.reduce((changed, [from, to]) => changed.replace(from, to), text);
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { ...options, module: ts.ModuleKind.ESNext },
  });
  writeFileSync(join(home.path, 'example.mjs'), outputText);
  const program = home.shell('exec node example.mjs', { env: { GIRAFFE_TOKEN: token } });
  const { code: status } = await program.ended();
  expect(status, program.output).toBe(0);
  return program.stdout;
}

describe('TypeScript that readers are shown', () => {
  it('O1 type-checks: blocks of the documentation, and examples/', () => {
    const texts = new Map(blocks.map(({ page, line, text }) => [`${root}${page}.${line}.mts`, text]));
    const examples = filesBelow('examples', '.ts').map((path) => `${root}${path}`);
    expect(texts.size).toBeGreaterThan(1);
    expect(examples.length).toBeGreaterThan(1);
    expect(faultsOf(examples, texts)).toEqual([]);
    const wrong = new Map([
      [`${root}docs/wrong.mts`, "import { openTunnel } from 'giraffe-tunnel';\nawait openTunnel({});\n"],
    ]);
    expect(faultsOf([], wrong)).toEqual([expect.stringContaining("'target' is missing")]);
  });

  it('O1 works: a tunnel through an edge elsewhere, and one through an edge of its own', async () => {
    await using home = new GiraffeHome();
    await using service = await startHttpOrigin((_request, response) => response.end('from the service'));
    mkdirSync(join(home.path, 'node_modules'));
    symlinkSync(root, join(home.path, 'node_modules', 'giraffe-tunnel'));
    const { ports } = await home.startEdge();
    const token = readFileSync(join(home.stateDir, 'agent-token'), 'utf8').trim();
    const [elsewhere, own, ...rest] = blocks;
    expect(rest).toEqual([]);
    if (elsewhere === undefined || own === undefined) throw new Error('docs/embedding.md has lost an example');
    const target = ['target: 3000', `target: ${service.port}`] as const;
    const server = ['tunnels.example.com', `localhost:${ports.grpc}`] as const;
    const ca = ['sha256:…', join(home.stateDir, 'ca.pem')] as const;
    expect(await run(home, elsewhere, [target, server, ca], token)).toMatch(/^http:\/\/\S+\.localhost:\d+\n$/);
    rmSync(home.stateDir, { recursive: true });
    expect(await run(home, own, [target], '')).toBe('from the service\n');
  });
});
