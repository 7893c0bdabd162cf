/** Orders names by how much they look like a mistyped one. */

/** Returns `names`, the ones most like `wanted` first, and alphabetical among equals. */
export function nearestFirst(wanted: string, names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, distance: editDistance(wanted, name) }))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

/** Counts the insertions, deletions and substitutions that make `b` of `a` (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, right] of [...b].entries()) {
      const substituted = (row[j] ?? 0) + (left === right ? 0 : 1);
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
