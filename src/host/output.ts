/**
 * The two streams a command writes to: data to stdout, everything for people to stderr.
 *
 * An interface, so that what is printed can be tested without a process.
 */

/** Where lines go. Both add the line end; neither escapes anything. */
export interface Output {
  /** Writes a line of data. */
  out(line: string): void;
  /** Writes a line for people. */
  err(line: string): void;
  /** Whether stderr is a terminal on which lines can be redrawn. */
  readonly isInteractive: boolean;
}

/** Returns the output of this process. */
export function processOutput(env: Readonly<Record<string, string | undefined>>): Output {
  const isCi = env['CI'] !== undefined && env['CI'] !== 'false';
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    isInteractive: process.stderr.isTTY === true && !isCi && env['TERM'] !== 'dumb',
  };
}

/** Writes one event of `--json`: a line of JSON that begins with the version of its shape. */
export function writeEvent(output: Output, event: string, fields: object): void {
  output.out(JSON.stringify({ v: 1, event, ...fields }));
}
