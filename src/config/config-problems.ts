/**
 * Tells what is wrong with a configuration file: each mistake in one sentence with its path, what is there and what is
 * accepted. Pure. Shows the values of settings that are no secrets, and of anything else only what kind of thing it is.
 */
import type * as z from 'zod';
import { editDistance, nearestFirst } from './nearest.ts';
import { isOneValue, keysAt, metaOf, type Path, schemaAt } from './schema-walk.ts';

/** Longest value that is quoted, in characters. */
const maxQuoted = 80;

type Issue = z.core.$ZodIssue;

/** Returns one sentence for each mistake that `schema` found in `value`. */
export function configProblems(schema: z.ZodType, value: unknown, issues: readonly Issue[]): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(schema, issue.path, key));
    if (issue.code === 'invalid_key') {
      const [first] = issue.issues;
      return [`${pathText(issue.path)} is not accepted as a name; accepted is ${first?.message ?? 'another one'}`];
    }
    return [
      `${pathText(issue.path) || 'all of it'} ${held(schema, value, issue.path)}; accepted is ${accepted(issue)}`,
    ];
  });
}

/** Returns one sentence for each mistake in the options of an extension, whose messages are its own. */
export function optionProblems(schema: z.ZodType, issues: readonly Issue[]): string[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(schema, issue.path, key));
    return [`${pathText(issue.path) || 'options'}: ${issue.message}`];
  });
}

/** Writes a path as people write it: `auth[0].provider`. */
export function pathText(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

function unknownKey(schema: z.ZodType, path: Path, key: string): string {
  const known = nearestFirst(key, keysAt(schema, path));
  const [nearest] = known;
  const isNear = nearest !== undefined && 2 * editDistance(key, nearest) <= nearest.length;
  const advice = isNear ? `; did you mean ${nearest}?` : known.length === 0 ? '' : `; there is ${known.join(', ')}`;
  return `${pathText([...path, key])} is an unknown key${advice}`;
}

function held(schema: z.ZodType, root: unknown, path: Path): string {
  const value = valueAt(root, path);
  if (value === undefined) return 'is missing';
  const leaf = schemaAt(schema, path);
  if (leaf !== undefined && metaOf(leaf)['secret'] === true) return 'holds a value that is not accepted';
  // What stands where no setting is, may be anything: only its kind is told.
  const isSetting = leaf !== undefined && isOneValue(leaf) && metaOf(leaf)['reload'] !== undefined;
  const isPlain = typeof value !== 'object' || Array.isArray(value);
  const quoted = isSetting && isPlain ? quotedText(value) : undefined;
  return `is ${quoted === undefined || quoted.length > maxQuoted ? kindOf(value) : quoted}`;
}

/** Returns a value as a file would write it; undefined for what none can. */
function quotedText(value: unknown): string | undefined {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : JSON.stringify(value);
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    root,
  );
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

const expectedWords: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'a text',
};

/** Messages of our own say what is accepted; zod's about kinds are told in the words of the file. */
function accepted(issue: Issue): string {
  if (issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')) {
    return expectedWords[issue.expected] ?? issue.expected;
  }
  return issue.message;
}
