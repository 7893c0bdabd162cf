/** Prints a measured figure beside the tests' results: for people, never asserted. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
