/** What a soak prints: a line for each disturbance, and tables at its end. */
import type { Ledger, Window } from './ledger.ts';
import { type Holding, megabytes } from './resources.ts';

/** Prints a line with the time since the soak began. */
export function tell(text: string): void {
  const seconds = (performance.now() / 1000).toFixed(1).padStart(7);
  console.log(`${seconds} s  ${text}`);
}

/** One line about a disturbance that is over. @param quiet Pieces of work behind it, none of which failed unexplained. */
export function windowLine(window: Window, text: string, outcome: string, quiet: number): string {
  const tookSeconds = (((window.endedMs ?? window.beganMs) - window.beganMs) / 1000).toFixed(1);
  const parts = [`whole again after ${tookSeconds} s`, outcome, excusedText(window.excused), `then ${quiet} in quiet`];
  return `${text}: ${parts.filter((part) => part !== '').join('; ')}`;
}

function excusedText(excused: ReadonlyMap<string, number>): string {
  const total = [...excused.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return 'no failure';
  const kinds = new Map<string, number>();
  for (const [text, count] of excused) {
    const kind = text.split(':')[0] ?? text;
    kinds.set(kind, (kinds.get(kind) ?? 0) + count);
  }
  return `${total} excused (${[...kinds].map(([kind, count]) => `${kind} ${count}`).join(', ')})`;
}

/** The table of all work. */
export function workTable({ counts }: Ledger): string {
  return table(
    ['work', 'right', 'excused', 'unexplained'],
    [...counts].map(([work, { right, excused, unexplained }]) => [work, right, excused, unexplained]),
  );
}

/** The table of what the processes hold. */
export function holdingsTable(before: readonly Holding[], after: readonly Holding[]): string {
  const was = (name: string): Holding | undefined => before.find((holding) => holding.name === name);
  const change = (then: number | undefined, now: number): string => `${then ?? '-'} to ${now}`;
  return table(
    ['process, idle', 'descriptors', 'heap MB', 'resident MB'],
    after.map(({ name, descriptors, heapBytes, residentBytes }) => [
      name,
      change(was(name)?.descriptors, descriptors),
      `${megabytes(was(name)?.heapBytes ?? 0)} to ${megabytes(heapBytes)}`,
      `${megabytes(was(name)?.residentBytes ?? 0)} to ${megabytes(residentBytes)}`,
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return all.map((row) => row.map(pad).join('  ')).join('\n');
}
