/** What `giraffe explain` tells: about one error code or one check of the doctor, or the list of all. */
import { editDistance, nearestFirst } from '../../config/nearest.ts';
import { type CheckEntry, type CheckId, checkIds, checks, isCheckId } from '../../doctor/catalogue.ts';
import type { CodeEntry } from '../../errors/code-entry.ts';
import { codes, type ErrorCode, isErrorCode } from '../../errors/codes.ts';
import { codeFacts } from '../../errors/explanation.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { HostContext } from '../oclif/host-context.ts';
import { writeEvent } from '../terminal/output.ts';
import { told } from '../terminal/printable.ts';
import { columns, filled } from '../terminal/text-layout.ts';

const codeNames = Object.keys(codes) as ErrorCode[];
/** Width of lines, in characters. */
const lineWidth = 80;
/** Names in a hint. */
const maxHints = 12;

/**
 * Tells about a code or a check; without a name, lists them all. Returns the exit status.
 *
 * @param name In any case, with or without `GIR_ERR_`, with `-` or `_`.
 * @throws {GiraffeError} GIR_ERR_USAGE for a name that is none, with what it may mean.
 */
export function explain(name: string | undefined, { output, json }: Pick<HostContext, 'output' | 'json'>): number {
  if (name === undefined) {
    for (const line of json ? [] : listLines()) output.out(line);
    if (json) for (const one of [...codeNames, ...checkIds]) writeEvent(output, 'explanation', eventOf(one));
    return 0;
  }
  const found = findName(name);
  if (json) writeEvent(output, 'explanation', eventOf(found));
  else for (const line of isErrorCode(found) ? codeLines(found) : checkLines(found)) output.out(line);
  return 0;
}

/** Returns the code or check that a text means. Throws GIR_ERR_USAGE. */
export function findName(text: string): ErrorCode | CheckId {
  const code = text.trim().toUpperCase().replaceAll('-', '_');
  const check = text.trim().toLowerCase().replaceAll('_', '-');
  const whole = code.startsWith('GIR_ERR_') ? code : `GIR_ERR_${code}`;
  if (isErrorCode(whole)) return whole;
  if (isCheckId(check)) return check;
  const hint = hintFor(code.replace(/^GIR_ERR_/, '').slice(0, 60));
  throw new GiraffeError('GIR_ERR_USAGE', `there is no code or check ${told(text.slice(0, 60))}; ${hint}`);
}

/** Names what a word may mean: names that have it in them, codes of a status, or the name most like it. */
function hintFor(word: string): string {
  const names = new Map<string, ErrorCode | CheckId>([
    ...codeNames.map((one) => [one.replace(/^GIR_ERR_/, ''), one] as const),
    ...checkIds.map((one) => [one.toUpperCase().replaceAll('-', '_'), one] as const),
  ]);
  const ofStatus = codeNames.filter((one) => String(codes[one].status) === word);
  if (ofStatus.length > 0) return `a status of ${word} can be ${listed(ofStatus)}`;
  const having = [...names].filter(([short]) => short.includes(word)).map(([, name]) => name);
  if (word !== '' && having.length > 0) return `there is ${listed(having)}`;
  const [nearest = ''] = nearestFirst(word, [...names.keys()]);
  const isNear = 2 * editDistance(word, nearest) <= nearest.length;
  return isNear ? `the nearest is ${names.get(nearest)}` : '`giraffe explain` alone lists all';
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, maxHints).join(', ');
  return names.length > maxHints ? `${shown} and ${names.length - maxHints} more` : shown;
}

function codeLines(code: ErrorCode): string[] {
  return [code, ...filled(codes[code].summary, lineWidth), '', ...factLines(codeFacts(code))];
}

function checkLines(id: CheckId): string[] {
  const { title, group, looksAt, why, next }: CheckEntry = checks[id];
  return [
    `${id}: a check of \`giraffe doctor\`, ${title}`,
    ...filled(looksAt, lineWidth),
    '',
    ...factLines([
      { label: 'Why it matters', text: why },
      { label: 'Next step', text: next },
      { label: 'In the report under', text: group },
      { label: 'Skipped when', text: skippedWhen(id) },
    ]),
  ];
}

/** Says which failed checks make a check meaningless. */
export function skippedWhen(id: CheckId): string {
  const { needs, needsOneOf }: CheckEntry = checks[id];
  const parts = [
    ...needs.map((one) => `${one} fails`),
    ...(needsOneOf.length === 0 ? [] : [`all of ${needsOneOf.join(', ')} fail`]),
  ];
  return parts.length === 0 ? 'never' : parts.join(', or ');
}

function factLines(facts: readonly { readonly label: string; readonly text: string }[]): string[] {
  return facts.flatMap(({ label, text }) => columns(`${label}:`, text, { indent: 0, first: 29, width: lineWidth }));
}

function listLines(): string[] {
  return [
    'Error codes:',
    ...codeNames.flatMap((code) => columns(code, codes[code].summary, { indent: 2, first: 38, width: lineWidth })),
    '',
    'Checks of `giraffe doctor`:',
    ...checkIds.flatMap((id) => columns(id, checks[id].looksAt, { indent: 2, first: 20, width: lineWidth })),
    '',
    '`giraffe explain NAME` tells more about one.',
  ];
}

function eventOf(name: ErrorCode | CheckId): object {
  if (isErrorCode(name)) {
    const { summary, fix, side, status, proxyStatus, retry, exit }: CodeEntry = codes[name];
    return { kind: 'code', name, summary, next: fix, side, status, proxyStatus, retry, exit };
  }
  const { title, group, looksAt, why, next, needs, needsOneOf }: CheckEntry = checks[name];
  return { kind: 'check', name, title, group, looksAt, why, next, needs, needsOneOf };
}
