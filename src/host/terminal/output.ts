/**
 * The two streams a command writes to: data to stdout, everything for people to stderr.
 *
 * An interface, so that what is printed can be tested without a process.
 */

/** Lines of data of so long a time are written together, in milliseconds. */
const gatherMs = 20;
/** Columns below which lines are not redrawn. */
const minColumns = 40;

/** Where lines go. Both add the line end; neither escapes anything. */
export interface Output {
  /** Writes a line of data. */
  out(line: string): void;
  /** Writes a line for people. */
  err(line: string): void;
  /** Whether stderr is a terminal on which lines can be redrawn. */
  readonly isInteractive: boolean;
  /** Width of the terminal behind stderr, in characters; undefined when there is none, or none that is wide enough. */
  readonly width?: number | undefined;
}

/** Returns the output of this process. */
export function processOutput(env: Readonly<Record<string, string | undefined>>): Output {
  const isCi = env['CI'] !== undefined && env['CI'] !== 'false';
  // A terminal that does not tell its width cannot be redrawn: pseudo-terminals of scripts and containers have 0 columns.
  const isWide = minColumns <= (process.stderr.columns ?? 0);
  return {
    out: gathered(process.stdout),
    err: (line) => void process.stderr.write(`${line}\n`),
    width: process.stderr.isTTY === true && isWide ? process.stderr.columns : undefined,
    isInteractive: process.stderr.isTTY === true && isWide && !isCi && env['TERM'] !== 'dumb',
  };
}

/**
 * Returns a writer of lines that writes those of a short while together: a busy agent has many to tell, and one write for
 * each turn of the event loop was a sixth of its work.
 */
function gathered(stream: NodeJS.WriteStream): (line: string) => void {
  let text = '';
  let isGathering = false;
  const flush = (): void => {
    const whole = text;
    text = '';
    isGathering = false;
    if (whole !== '') stream.write(whole);
  };
  process.once('exit', flush);
  return (line) => {
    text += `${line}\n`;
    if (isGathering) return;
    isGathering = true;
    // Holds up no end of the process, which writes what is left.
    setTimeout(flush, gatherMs).unref();
  };
}

/** Writes one event of `--json`: a line of JSON that begins with the version of its shape. */
export function writeEvent(output: Output, event: string, fields: object): void {
  output.out(JSON.stringify({ v: 1, event, ...fields }));
}
