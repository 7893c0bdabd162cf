/** Decides which options of an extension may be shown, by what its schema says of them. */
import * as z from 'zod';

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly secret?: boolean;
  readonly writeOnly?: boolean;
}

/** Tells whether an option is declared, and neither it nor anything around it is marked `secret` (or `writeOnly`). */
export function mayShowOption(options: z.ZodType, path: readonly string[]): boolean {
  let schema: JsonSchema | undefined;
  try {
    schema = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  } catch {
    return false;
  }
  return isOpen(schema, path);
}

function isOpen(schema: JsonSchema | undefined, path: readonly string[]): boolean {
  if (schema === undefined || schema.secret === true || schema.writeOnly === true) return false;
  const [key, ...rest] = path;
  if (schema.anyOf !== undefined) return schema.anyOf.every((one) => !leadsTo(one, key) || isOpen(one, path));
  if (key === undefined) return true;
  return isOpen(below(schema, key), rest);
}

function leadsTo(schema: JsonSchema, key: string | undefined): boolean {
  return key === undefined || below(schema, key) !== undefined;
}

function below({ properties, additionalProperties, items }: JsonSchema, key: string): JsonSchema | undefined {
  const property = properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined;
  if (property !== undefined) return property;
  if (typeof items === 'object') return items;
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}
