/**
 * Puts what extensions say of their options into the JSON Schema of the configuration file, so that editors know them.
 */
import * as z from 'zod';

/** One extension, as far as the file is concerned. */
export interface OfferedExtension {
  readonly section: ExtensionSection;
  /** Name in the configuration. */
  readonly name: string;
  readonly options: z.ZodType;
}

/** A section of the file that picks extensions. */
export type ExtensionSection = keyof typeof nameKeys;

/** What is changed of a JSON Schema here. */
interface SectionSchema {
  readonly properties: Record<string, JsonSchema>;
  allOf?: JsonSchema[];
}
type JsonSchema = Record<string, unknown>;

/** The key that names the extension, by section. */
const nameKeys = { routing: 'strategy', auth: 'provider', metrics: 'exporter', certificates: 'source' } as const;

/**
 * Adds to the schema of each section, for each extension: where it is named, its options have its own schema. A plugin whose
 * schema cannot be written as JSON adds nothing but its name.
 */
export function addExtensionOptions(schema: object, extensions: readonly OfferedExtension[]): void {
  const { properties } = schema as SectionSchema;
  for (const section of Object.keys(nameKeys) as ExtensionSection[]) {
    const whole = properties[section] as unknown as SectionSchema & { readonly items?: SectionSchema };
    const offered = extensions.filter((extension) => extension.section === section);
    if (offered.length > 0) addTo(whole.items ?? whole, nameKeys[section], offered);
  }
}

function addTo(target: SectionSchema, key: string, offered: readonly OfferedExtension[]): void {
  const named = target.properties[key] ?? {};
  target.properties[key] = { ...named, examples: offered.map(({ name }) => name) };
  target.allOf = offered.flatMap(({ name, options }) => {
    const schema = jsonOptions(options);
    if (schema === undefined) return [];
    // Without its name, a section means its default.
    const required = named['default'] === name ? {} : { required: [key] };
    // biome-ignore lint/suspicious/noThenProperty: it is the keyword of JSON Schema.
    return [{ if: { properties: { [key]: { const: name } }, ...required }, then: { properties: { options: schema } } }];
  });
}

/** Returns the JSON Schema of an extension's options; undefined when there is none. */
export function jsonOptions(options: z.ZodType): JsonSchema | undefined {
  try {
    const { $schema: _, ...schema } = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
    return schema;
  } catch {
    return undefined;
  }
}
