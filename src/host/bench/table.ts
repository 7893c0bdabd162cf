/** Lays out rows as a table of text. Pure. */

/** One row: values by column; all rows have the same columns in the same order. */
export type TableRow = Readonly<Record<string, string>>;

/** Returns the lines of a table: the first column to the left, all others to the right. */
export function tableLines(rows: readonly TableRow[]): string[] {
  const columns = Object.keys(rows[0] ?? {});
  const widths = columns.map((column) =>
    Math.max(column.trim().length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join('  ');
  return [
    line(columns.map((column) => column.trim())),
    ...rows.map((row) => line(columns.map((column) => row[column] ?? ''))),
  ];
}
