/** Finds one's way in the schema of the configuration file: which schema is at a path, and which keys are known there. */
import * as z from 'zod';

/** Keys from the top of the file to a place in it. */
export type Path = readonly PropertyKey[];

/** Returns the schema at a path, without what makes it optional; undefined where the schema knows nothing. */
export function schemaAt(root: z.ZodType, path: Path): z.ZodType | undefined {
  let schema: z.ZodType | undefined = root;
  for (const key of path) {
    const inner = bare(schema);
    if (inner instanceof z.ZodObject) schema = inner.shape[String(key)] as z.ZodType | undefined;
    else if (inner instanceof z.ZodRecord) schema = inner.valueType as z.ZodType;
    else if (inner instanceof z.ZodArray) schema = inner.element as z.ZodType;
    else return undefined;
    if (schema === undefined) return undefined;
  }
  return schema;
}

/** Returns the keys that an object at a path may have; none where any key will do. */
export function keysAt(root: z.ZodType, path: Path): string[] {
  const schema = schemaAt(root, path);
  const inner = schema && bare(schema);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** Returns what is written beside a schema, or beside what it makes optional. */
export function metaOf(schema: z.ZodType): Readonly<Record<string, unknown>> {
  for (let inner = schema; ; inner = inner.unwrap() as z.ZodType) {
    const meta = inner.meta();
    if (meta !== undefined || !isWrapper(inner)) return meta ?? {};
  }
}

/** Tells whether a value has to be given. */
export function isRequired(schema: z.ZodType): boolean {
  return !schema.safeParse(undefined).success;
}

/** Tells whether a schema is of one value, and not of a mapping or a list. */
export function isOneValue(schema: z.ZodType): boolean {
  const inner = bare(schema);
  return !(inner instanceof z.ZodObject || inner instanceof z.ZodRecord || inner instanceof z.ZodArray);
}

/** One place of the schema. */
export interface Place {
  readonly path: readonly string[];
  readonly schema: z.ZodType;
  /** Undefined for a leaf. */
  readonly inner: z.ZodObject | z.ZodRecord | z.ZodArray | undefined;
}

/** Returns every place below a schema, parents first. `*` stands for a name of the file's choice, `[]` for an element. */
export function places(root: z.ZodType, path: readonly string[] = []): Place[] {
  const inner = bare(root);
  if (inner instanceof z.ZodObject) {
    const below = Object.entries(inner.shape).flatMap(([key, schema]) => places(schema as z.ZodType, [...path, key]));
    return [{ path, schema: root, inner }, ...below];
  }
  const element = elementOf(inner);
  if (element === undefined) return [{ path, schema: root, inner: undefined }];
  const [mark, schema] = element;
  const below = places(schema, [...path, mark]);
  const isPlain = below.length === 1 && below[0]?.inner === undefined;
  const self = { path, schema: root, inner: isPlain ? undefined : (inner as z.ZodRecord | z.ZodArray) };
  return isPlain ? [self] : [self, ...below];
}

function elementOf(schema: z.ZodType): [string, z.ZodType] | undefined {
  if (schema instanceof z.ZodRecord) return ['*', schema.valueType as z.ZodType];
  if (schema instanceof z.ZodArray) return ['[]', schema.element as z.ZodType];
  return undefined;
}

/** Takes off what makes a schema optional or gives it a default. */
function bare(schema: z.ZodType): z.ZodType {
  let inner = schema;
  while (isWrapper(inner)) inner = inner.unwrap() as z.ZodType;
  return inner;
}

function isWrapper(schema: z.ZodType): schema is z.ZodOptional | z.ZodNonOptional | z.ZodDefault | z.ZodPrefault {
  return (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNonOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  );
}
