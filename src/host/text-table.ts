/** Lays out a table for people. Pure. */
import { printable } from './printable.ts';

/** Returns the lines of a table whose first row is its head; the last column is not padded, and nothing escapes its cell. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const table = rows.map((row) => row.map(printable));
  const columns = Math.max(...table.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    column === columns - 1 ? 0 : Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
}
