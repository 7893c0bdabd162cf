/**
 * The form of one setting in the configuration file: the same schema that reads flags and variables, and what a file may
 * write besides text (numbers, true and false, lists).
 */
import * as z from 'zod';
import { type FileForm, type TextSchema, unitOf } from './units.ts';

/** What a file may hold for one setting. */
export type FileValue = string | number | boolean | readonly string[];

/** What a reload does with a changed setting: uses it at once, or says that it needs a restart. */
export type ReloadRule = 'live' | 'restart';

/** What is written beside a leaf, for people, editors and the reference. */
export interface LeafMeta {
  readonly env: string | undefined;
  readonly flag: string | undefined;
  readonly secret: boolean;
  readonly reload: ReloadRule;
  /** As a person would type it. */
  readonly defaultText: string | undefined;
}

/** A leaf of the configuration schema. */
export type Leaf<T> = z.ZodOptional<z.ZodType<T, FileValue>>;

/** Returns the leaf of a setting. */
export function fileLeaf<T>(schema: TextSchema<T>, description: string, meta: LeafMeta): Leaf<T> {
  const { accepted, form, words } = unitOf(schema);
  const leaf = inputOf(form, accepted).transform((value, context) => {
    const parsed = schema.safeParse(fileText(value));
    if (parsed.success) return parsed.data;
    context.issues.push({ code: 'custom', message: parsed.error.issues[0]?.message ?? accepted, input: value });
    return z.NEVER;
  });
  return leaf
    .optional()
    .describe(description)
    .meta(jsonMeta(meta, form, words)) as Leaf<T>;
}

/** Returns the text that a flag would have had for a value of a file. */
export function fileText(value: FileValue): string {
  return Array.isArray(value) ? value.join(',') : String(value);
}

function inputOf(form: FileForm, error: string): z.ZodType<FileValue, FileValue> {
  switch (form) {
    case 'text':
      return z.string({ error });
    case 'number':
      return z.union([z.number(), z.string()], { error });
    case 'boolean':
      return z.boolean({ error });
    case 'list':
      return z.array(z.string({ error }), { error });
  }
}

/** Name of the default in a leaf's meta data: zod drops `default` from the JSON Schema of what it transforms. */
export const defaultKey = 'initial';

/** Keys with an undefined value are left out, so that the JSON Schema has none. */
function jsonMeta(
  { env, flag, secret, reload, defaultText }: LeafMeta,
  form: FileForm,
  words: readonly string[] | undefined,
) {
  return {
    ...(flag === undefined ? {} : { flag: `--${flag}` }),
    ...(env === undefined ? {} : { env }),
    ...(secret ? { secret: true } : {}),
    ...(defaultText === undefined ? {} : { [defaultKey]: jsonDefault(defaultText, form) }),
    ...(words === undefined ? {} : { enum: words }),
    reload,
  };
}

function jsonDefault(text: string, form: FileForm): unknown {
  if (form === 'list') return text.split(',').flatMap((part) => part.trim() || []);
  if (text === 'true' || text === 'false') return text === 'true';
  return /^[0-9]+$/.test(text) ? Number(text) : text;
}
