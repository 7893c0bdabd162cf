/** Makes the log of a process: pino, to stderr or a file, as JSON or for people. */
import { type DestinationStream, pino } from 'pino';
import type { Logger } from '../../telemetry/logger.ts';
import { jsonLine, prettyLine } from './log-line.ts';
import { LogSink } from './log-sink.ts';

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

/**
 * Returns the log of this process. It is written without waiting, and to its end when the process exits.
 *
 * @throws {GiraffeError} GIR_ERR_CONFIG for a file that cannot be opened.
 */
export function createLogger(options: LogOptions): ProcessLog {
  const { logLevel, logFile } = options;
  const sink = new LogSink(logFile);
  const form = isPretty(options) ? prettyLine : jsonLine;
  const stream: DestinationStream = { write: (line) => sink.write(form(line)) };
  const logger = pino({ level: logLevel, base: null }, stream);
  return {
    logger,
    setLevel: (level) => {
      logger.level = level;
    },
    reopen: () => sink.reopen(),
  };
}

/** Whether people read the log on stderr, beside what the program tells them there. */
export function isLogBesideOutput(options: LogOptions): boolean {
  return options.logFile === undefined && isPretty(options);
}

function isPretty({ logFormat, logFile }: LogOptions): boolean {
  return logFormat === undefined ? logFile === undefined && process.stderr.isTTY : logFormat === 'pretty';
}
