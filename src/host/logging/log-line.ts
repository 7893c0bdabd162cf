/**
 * Forms of one log line. Pure.
 *
 * What is logged may come from clients, agents and origins: no control character of theirs gets through, in either form.
 */
import { redacted, told } from '../terminal/printable.ts';

const levelLabels: Readonly<Record<number, string>> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR' };
/** DEL, C1 and the line separators, which JSON leaves as they are. */
const unescaped = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Returns a line of JSON as pino wrote it, with every control character escaped and no token of ours in it. */
export function jsonLine(line: string): string {
  const safe = redacted(line);
  return safe.replace(unescaped, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Returns a line of JSON as pino wrote it in the form for people: time, level, message, fields. */
export function prettyLine(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = typeof time === 'number' ? new Date(time).toISOString().slice(11, 23) : '';
  const label = (levelLabels[Number(level)] ?? 'INFO').padEnd(5);
  const parts = Object.entries(fields).map(([name, value]) => `${name}=${fieldText(value)}`);
  const failure = err === undefined ? [] : [`error=${fieldText(errorText(err))}`];
  return `${told([clock, label, String(msg), ...parts, ...failure].join(' '))}\n`;
}

function fieldText(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  const code = 'code' in error ? `${String(error.code)}: ` : '';
  return `${code}${String(error.message)}`;
}
