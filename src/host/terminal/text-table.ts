/** Lays out a table for people. Pure. */
import { printable } from './printable.ts';
import { filled } from './text-layout.ts';

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

/**
 * Returns the lines of a table, or where one would be longer than `width`, a block for each row: the cell of the column
 * `title` on a line of its own, and below it the others with their names. A cell `-` says nothing and is left out there.
 */
export function tableOrBlocks(
  rows: readonly (readonly string[])[],
  { width, title }: { readonly width: number; readonly title: number },
): string[] {
  const lines = tableLines(rows);
  if (lines.every((line) => line.length <= width)) return lines;
  const [head = [], ...others] = rows;
  return others.flatMap((row) => {
    const facts = row.map((cell, column) => {
      const isShown = column !== title && cell !== '-';
      // Pairs stay together, and their own spaces are none to break at.
      return isShown ? `${head[column]?.toLowerCase()}\0${printable(cell).replaceAll(' ', '\0')}` : undefined;
    });
    const text = facts.filter((fact) => fact !== undefined).join(', ');
    const block = filled(text, width - 2).map((line) => `  ${line.replaceAll('\0', ' ')}`);
    return [printable(row[title] ?? ''), ...block];
  });
}
