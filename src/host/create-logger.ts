/** Makes the log of a process: pino, to stderr or a file, as JSON or for people. */
import { type DestinationStream, destination, pino } from 'pino';
import type { Logger } from '../telemetry/logger.ts';
import { jsonLine, prettyLine } from './log-line.ts';

/** How to log. */
export interface LogOptions {
  /** Undefined: pretty on a terminal, else json. */
  readonly logFormat: 'pretty' | 'json' | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Undefined: stderr. */
  readonly logFile: string | undefined;
}

/** A log and its file. */
export interface ProcessLog {
  readonly logger: Logger;
  /** Logs from another level on. */
  setLevel(level: LogOptions['logLevel']): void;
  /** Opens the file anew, after something has moved it away. */
  reopen(): void;
}

/** Lines are written together: under load when this many characters wait, otherwise after this long in milliseconds. */
const minLength = 8 * 1024;
const flushMs = 100;

/** Returns the log of this process. It is written without waiting, and to its end when the process exits. */
export function createLogger({ logFormat, logLevel, logFile }: LogOptions): ProcessLog {
  const sink = destination({ dest: logFile ?? 2, sync: false, minLength, mkdir: true, append: true, mode: 0o600 });
  setInterval(() => sink.flush(), flushMs).unref();
  const isPretty = logFormat === undefined ? logFile === undefined && process.stderr.isTTY : logFormat === 'pretty';
  const form = isPretty ? prettyLine : jsonLine;
  const stream: DestinationStream = { write: (line) => void sink.write(form(line)) };
  const logger = pino({ level: logLevel, base: null }, stream);
  return {
    logger,
    setLevel: (level) => {
      logger.level = level;
    },
    reopen: () => (logFile === undefined ? undefined : sink.reopen()),
  };
}
