#!/usr/bin/env node
// The program `giraffe` from its sources, without a build: jiti compiles TypeScript as it is imported.
import 'jiti/register';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execute } from '@oclif/core';

const root = fileURLToPath(new URL('..', import.meta.url));
const packageText = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
const pjson = JSON.parse(
  packageText.replaceAll(/"\.\/dist\/(\S+?)\.js"/g, '"./src/$1.ts"').replaceAll('"./dist/', '"./src/'),
);

await execute({ development: true, loadOptions: { root, pjson, ignoreManifest: true } });
