/**
 * O1: the documentation works as it stands. Each page's commands and configuration files are run in its order, in a home
 * folder of its own; doc-script.ts says how, and what is left out for which reason.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allDocBlocks } from '../support/doc-blocks.ts';
import { commandOf, docScript, leftLines, npmStandIn } from '../support/doc-script.ts';
import { freePort } from '../support/free-port.ts';
import { GiraffeHome } from '../support/giraffe-process.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { hasPrograms } from '../support/programs.ts';
import { readText } from '../support/repository.ts';
import { createCertificate } from '../support/test-certificate.ts';

/** Pages with a test of their own, which takes every block of theirs. */
const elsewhere: Readonly<Record<string, string>> = { 'docs/ci.md': 'test/e2e/ci.test.ts' };
const blocks = allDocBlocks();
const pages = [...new Set(blocks.map(({ page }) => page))]
  .filter((page) => elsewhere[page] === undefined)
  .map((page) => ({ page, script: docScript(blocks.filter((block) => block.page === page)) }))
  .filter(({ script }) => script !== undefined);

/** What a page's commands must have told, besides that none of them fails. */
const outcomes: Readonly<Record<string, readonly RegExp[]>> = {
  'README.md': [
    ...['GET', 'Download', 'Upload', 'Server-sent events'].map((proof) => new RegExp(`✓ ${proof} +gRPC tunnel`)),
    /✓ WebSocket +TCP tunnel/,
    /^from the service$/m,
    /GIR_ERR_NO_UPSTREAM/,
    /giraffe\.config\.yaml is valid/,
  ],
  'docs/routing.md': [
    /rule 1 \(maintenance\) fires/,
    /rule 4 fires.*with urgency 6/,
    /over TCP, because it is an upgrade/,
  ],
  'docs/authentication.md': [/^grf_\S+$/m, /Token ci .* is revoked/, /^\$scrypt\$\S+$/m],
  'docs/plugins.md': [/^ {2}night-owl /m, /^night-owl: agents with the label eu-night /m, /pass 4\n.*fail 0\n/],
};

/** Writes what the pages take for granted: files of the reader's, and a plugin. */
async function furnish(home: GiraffeHome): Promise<void> {
  const { keyPem, certPem, caPem } = await createCertificate(['localhost', 'tunnels.example.com']);
  const hooks = { 'giraffe:extensions': './extensions.js' };
  const plugin = { name: 'giraffe-plugin-geo', version: '1.0.0', type: 'module', oclif: { hooks } };
  const files = {
    'bin/npm': npmStandIn,
    'agents-ca.pem': caPem,
    'ca.pem': caPem,
    'fullchain.pem': certPem,
    'privkey.pem': keyPem,
    'node_modules/giraffe-plugin-geo/package.json': JSON.stringify(plugin),
    'node_modules/giraffe-plugin-geo/extensions.js': 'export default async () => [];',
    token: `grf_${'A'.repeat(43)}\n`,
  };
  mkdirSync(join(home.path, 'node_modules', plugin.name), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home.path, name), text, { mode: 0o600 });
  chmodSync(join(home.path, 'bin', 'npm'), 0o755);
}

async function run(script: string): Promise<string> {
  await using home = new GiraffeHome();
  await using service = await startHttpOrigin((_request, response) => response.end('from the service\n'));
  await furnish(home);
  const [api, grpc, tunnel] = [await freePort(), await freePort(), await freePort()];
  const env = {
    PROXY_PORT: '0',
    API_PORT: String(api),
    GRPC_TUNNEL_PORT: String(grpc),
    TUNNEL_PORT: String(tunnel),
    GIRAFFE_SERVER: `localhost:${grpc}`,
    GIRAFFE_INSPECT_PORT: '0',
    SERVICE_PORT: String(service.port),
    NODE_EXTRA_CA_CERTS: join(home.path, 'ca.pem'),
  };
  writeFileSync(join(home.path, 'page.sh'), script);
  const shell = home.shell('bash page.sh', { env });
  const { code } = await shell.ended(100_000);
  expect(code, shell.output).toBe(0);
  return shell.output;
}

describe.skipIf(!hasPrograms('bash', 'curl', 'openssl'))('the commands and configurations of', () => {
  it.each(pages)('O1 O7 $page: they work as they stand', async ({ page, script = '' }) => {
    const output = await run(script);
    for (const outcome of outcomes[page] ?? []) expect(output).toMatch(outcome);
  });
});

describe('documentation', () => {
  it('O1 shows code only in languages that a test knows', () => {
    const known = ['sh', 'yaml', 'ts', ''];
    const strange = blocks.filter(({ language }) => !known.includes(language));
    expect(strange.map(({ page, line, language }) => `${page}:${line} ${language}`)).toEqual([]);
    const commands = blocks.filter(
      ({ language, text }) => language === '' && /^\s*(\$|giraffe (server|tunnel)|np[mx]) /m.test(text),
    );
    expect(commands.map(({ page, line }) => `${page}:${line}`)).toEqual([]);
  });

  it('O1 has every command that is left out, and every page that has a test of its own', () => {
    const lines = blocks.flatMap(({ text }) => text.split('\n').map(commandOf));
    expect([...leftLines].filter((line) => !lines.includes(line))).toEqual([]);
    for (const [page, test] of Object.entries(elsewhere)) expect(readText(test)).toContain(`readText('${page}')`);
  });
});
