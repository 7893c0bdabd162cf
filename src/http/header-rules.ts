/**
 * Rules that remove, set and add field lines of heads, and which fields they may touch.
 *
 * Pure. What frames a message, belongs to one connection, decides about routing or says who passed it on is out of reach.
 */
import type { FieldLine, FieldLines } from './field-line.ts';
import { isToken } from './head-syntax.ts';

/** Which head a rule is for. */
export type HeadKind = 'request' | 'response';

/** Rules for one kind of head, in the order in which they apply: remove, set (replaces all lines), add (one more line). */
export interface HeaderRules {
  readonly remove: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  readonly add: Readonly<Record<string, string>>;
}

const longestName = 100;
const longestValue = 4096;
const fieldText = /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/;

const untouchable = new Set([
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
]);

/** Says whether a rule may name this field, in any case. Host has an option of its own (`--host-header`). */
export function isRuleField(name: string, kind: HeadKind): boolean {
  const lower = name.toLowerCase();
  if (!isToken(name) || name.length > longestName || untouchable.has(lower)) return false;
  if (lower.startsWith('sec-websocket-')) return false;
  return kind === 'response' || lower !== 'host';
}

/** Says whether a text may be a value: 1 to 4,096 characters of latin1, no control characters, no outer white space. */
export function isRuleValue(value: string): boolean {
  return value.length <= longestValue && fieldText.test(value);
}

/** Changes field lines; those that no rule names keep their order and case. */
export type HeaderEdit = (fields: FieldLines) => FieldLines;

/**
 * Returns the change that rules describe; undefined when they describe none.
 * @param rules Names and values passed {@link isRuleField} and {@link isRuleValue}.
 */
export function createHeaderEdit(rules: Partial<HeaderRules> | undefined): HeaderEdit | undefined {
  const set = Object.entries(rules?.set ?? {});
  const appended: readonly FieldLine[] = [...set, ...Object.entries(rules?.add ?? {})];
  const gone = new Set([...(rules?.remove ?? []), ...set.map(([name]) => name)].map((name) => name.toLowerCase()));
  if (gone.size === 0 && appended.length === 0) return undefined;
  return (fields) => [...fields.filter(([name]) => !gone.has(name.toLowerCase())), ...appended];
}
