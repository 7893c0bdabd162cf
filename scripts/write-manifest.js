/** Writes oclif.manifest.json, with its commands in order: oclif finds them in another one each time. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const path = new URL('oclif.manifest.json', root);
const oclif = fileURLToPath(import.meta.resolve('oclif/bin/run.js'));
// Which version of oclif there is, package.json decides; a build asks nobody about newer ones.
const env = { ...process.env, OCLIF_SKIP_NEW_VERSION_CHECK: 'true' };
execFileSync(process.execPath, [oclif, 'manifest', '--no-jit'], { cwd: fileURLToPath(root), env, stdio: 'inherit' });
const manifest = JSON.parse(readFileSync(path, 'utf8'));
const commands = Object.entries(manifest.commands).sort(([one], [other]) => (one < other ? -1 : 1));
writeFileSync(path, `${JSON.stringify({ ...manifest, commands: Object.fromEntries(commands) }, undefined, 2)}\n`);
