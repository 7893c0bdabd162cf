import { Plugin } from '@oclif/core';
import { describe, expect, it } from 'vitest';
import { filesBelow, readText, root } from '../support/repository.ts';

describe('oclif.manifest.json', () => {
  it('is what `oclif manifest` makes of the commands that are built (npm run build)', async () => {
    const plugin = new Plugin({
      errorOnManifestCreate: true,
      ignoreManifest: true,
      respectNoCacheDefault: true,
      root,
      type: 'core',
    });
    await plugin.load();
    expect(JSON.parse(readText('oclif.manifest.json'))).toEqual(JSON.parse(JSON.stringify(plugin.manifest)));
  });

  it('has every command file', () => {
    const { commands } = JSON.parse(readText('oclif.manifest.json')) as { commands: object };
    const files = filesBelow('src/commands', '.ts').map((path) => path.slice('src/commands/'.length, -'.ts'.length));
    expect(Object.keys(commands).sort()).toEqual(files.map((path) => path.replaceAll('/', ':')).sort());
  });
});
