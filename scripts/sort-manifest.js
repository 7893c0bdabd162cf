/** Puts the commands of oclif.manifest.json in order: oclif finds them in another one each time. */
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../oclif.manifest.json', import.meta.url);
const manifest = JSON.parse(readFileSync(path, 'utf8'));
const commands = Object.entries(manifest.commands).sort(([one], [other]) => (one < other ? -1 : 1));
writeFileSync(path, `${JSON.stringify({ ...manifest, commands: Object.fromEntries(commands) }, undefined, 2)}\n`);
