/** Lays out a table for people. Pure. */
import { printable } from './printable.ts';

/**
 * Returns the lines of a table whose first row is its head; nothing escapes its cell. The first column stands to the left,
 * and the others where `align` says.
 */
export function tableLines(
  rows: readonly (readonly string[])[],
  { align = 'left' }: { readonly align?: 'left' | 'right' } = {},
): string[] {
  const table = rows.map((row) => row.map(printable));
  const count = Math.max(...table.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table.map((row) => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return align === 'right' && column > 0 ? cell.padStart(width) : cell.padEnd(width);
    });
    return cells.join('  ').trimEnd();
  });
}
