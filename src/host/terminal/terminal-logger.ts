import { Writable } from 'node:stream';
import { LISTR_LOGGER_STYLE, ListrLogger, ProcessOutput } from 'listr2';

/** Returns the logger of listr2's lists that writes to one terminal only, whichever of stdout and stderr that is. */
export function terminalLogger(terminal: NodeJS.WriteStream): ListrLogger {
  // What listr2 takes for stdout; its own stderr is not used, and must not be patched twice.
  const unused = new Writable({ write: (_chunk, _encoding, done) => done() }) as unknown as NodeJS.WriteStream;
  const processOutput = new ProcessOutput(terminal, unused, { leaveEmptyLine: false });
  return new ListrLogger({ ...LISTR_LOGGER_STYLE, useIcons: true, toStderr: [], processOutput });
}
