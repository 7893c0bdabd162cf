import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { crossImports, readLayerTable } from '../support/layer-table.ts';
import { readText, root } from '../support/repository.ts';

const table = readLayerTable(readText('docs/ARCHITECTURE.md'));

describe('the layer table of docs/ARCHITECTURE.md', () => {
  it('names every folder of src, and no other', () => {
    expect([...table.keys()].sort()).toEqual(readdirSync(`${root}src`).sort());
  });

  it('is kept by every import of every file', () => {
    const imports = crossImports();
    expect(imports.length).toBeGreaterThan(50);
    expect(imports.filter(({ from, to }) => !table.get(from)?.includes(to))).toEqual([]);
  });

  it('lets nothing import the built-in extensions', () => {
    expect([...table.values()].flat()).not.toContain('plugins');
  });

  it('has no cycle', () => {
    const reaches = (from: string, seen: readonly string[]): string[] =>
      (table.get(from) ?? []).flatMap((to) => (seen.includes(to) ? [to] : [to, ...reaches(to, [...seen, to])]));
    expect([...table.keys()].filter((folder) => reaches(folder, []).includes(folder))).toEqual([]);
  });

  it('is what biome.json enforces', () => {
    const forbidden = new Map(
      [...table].map(([folder, may]) => [
        folder,
        [...table.keys()].filter((other) => other !== folder && !may.includes(other)),
      ]),
    );
    expect(biomeTable()).toEqual(new Map([...forbidden].map(([folder, others]) => [folder, others.sort()])));
  });
});

interface BiomeOverride {
  readonly includes: readonly string[];
  readonly linter?: {
    readonly rules?: {
      readonly style?: {
        readonly noRestrictedImports?: {
          readonly options: { readonly patterns: readonly { readonly group: readonly string[] }[] };
        };
      };
    };
  };
}

/** Returns which folders of src biome.json forbids to each folder. */
function biomeTable(): Map<string, string[]> {
  const { overrides } = JSON.parse(readText('biome.json')) as { readonly overrides: readonly BiomeOverride[] };
  const entries = overrides.flatMap(({ includes: [include = ''], linter }): [string, string[]][] => {
    const patterns = linter?.rules?.style?.noRestrictedImports?.options.patterns;
    if (patterns === undefined) return [];
    const groups = patterns.flatMap((pattern) => pattern.group);
    const folders = groups.flatMap((group) => /^\*\*\/\.\.\/(\w+)\/\*\*$/.exec(group)?.[1] ?? []);
    return [[include.replace(/^src\/(\w+)\/\*\*$/, '$1'), folders.sort()]];
  });
  return new Map(entries);
}
