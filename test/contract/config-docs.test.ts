import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { offeredExtensions } from '../../scripts/built-in-extensions.ts';
import { configDocs, configSchemaText } from '../../scripts/generate-config-docs.ts';
import { extensionDocs } from '../../scripts/generate-extension-docs.ts';
import { agentSettings } from '../../src/config/agent-settings.ts';
import { loadConfig } from '../../src/config/config-file.ts';
import { configJsonSchema, configSchema } from '../../src/config/config-schema.ts';
import { edgeSettings } from '../../src/config/edge-settings.ts';
import { jsonOptions } from '../../src/config/extension-options.ts';
import { metaOf, places } from '../../src/config/schema-walk.ts';
import { createTemporaryFolder } from '../state/temporary-folder.ts';
import { readText } from '../support/repository.ts';

const leaves = places(configSchema).filter(({ inner }) => inner === undefined);
/** The examples of configuration files in the documentation. */
const examples = ['README.md', 'docs/reference/config.md'].flatMap((page) =>
  [...readText(page).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => [page, text] as const),
);

describe('the reference of the built-in extensions', () => {
  it('is what they say of themselves (npm run docs:generate)', () => {
    expect(readText('docs/reference/extensions.md')).toBe(extensionDocs());
  });

  it('says something of every option', () => {
    expect(
      extensionDocs()
        .split('\n')
        .filter((line) => /\| +\|$/.test(line)),
    ).toEqual([]);
  });
});

describe('the JSON Schema', () => {
  it.each(offeredExtensions.map((one) => [`${one.section} ${one.name}`, one] as const))(
    'knows the options of %s',
    (_, { section, name, options }) => {
      interface Rule {
        readonly if: { readonly properties: Record<string, { readonly const: string }> };
        readonly then: { readonly properties: { readonly options: unknown } };
      }
      const { properties } = configJsonSchema(offeredExtensions) as {
        properties: Record<string, { allOf?: Rule[]; items?: { allOf: Rule[] } }>;
      };
      const { allOf = properties[section]?.items?.allOf } = properties[section] ?? {};
      const rule = allOf?.find((one) => Object.values(one.if.properties)[0]?.const === name);
      expect(rule?.then.properties.options).toEqual(jsonOptions(options));
    },
  );
});

describe('the reference of the configuration file', () => {
  it('is what the schema says (npm run docs:generate)', () => {
    expect(readText('docs/reference/config.md')).toBe(configDocs());
    expect(readText('docs/reference/config.schema.json')).toBe(configSchemaText());
  });

  it.each(leaves.map(({ path, schema }) => [path.join('.'), schema] as const))('describes %s', (_, schema) => {
    expect(metaOf(schema)['description']).toMatch(/^\S.*\.$/);
    expect(['live', 'restart', undefined]).toContain(metaOf(schema)['reload']);
  });

  it('says of a setting what help says of its flag', () => {
    for (const { leaf, flag, env, description } of [...Object.values(edgeSettings), ...Object.values(agentSettings)]) {
      expect(metaOf(leaf)).toMatchObject({ flag: `--${flag}`, ...(env === undefined ? {} : { env }), description });
    }
  });

  it('has examples', () => {
    expect(new Set(examples.map(([page]) => page)).size).toBe(2);
  });

  it.each(examples)('has in %s an example that is valid', async (_page, text) => {
    const folder = await createTemporaryFolder();
    await writeFile(join(folder, 'giraffe.config.yaml'), text);
    await expect(loadConfig({ path: undefined, folder })).resolves.toMatchObject({
      path: join(folder, 'giraffe.config.yaml'),
    });
  });
});
