/**
 * Writes log lines to a file or to stderr, without waiting for it and without ever ending the process.
 *
 * Lines are written together. While they cannot be written, as on a full disk, they wait up to a bound, and stderr says so
 * once. It does not decide what a line is.
 */
import { closeSync, existsSync, write as fsWrite, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { GiraffeError } from '../../errors/giraffe-error.ts';

/** Lines leave together when this many characters wait, otherwise after this long in milliseconds. */
const flushLength = 8 * 1024;
const flushMs = 100;
/** Characters that wait at most; further lines are dropped. */
const maxLength = 4 * 1024 * 1024;
/** Writes at the exit that a busy stderr may refuse, and the time between them in milliseconds. */
const exitAttempts = 50;
const exitPauseMs = 10;

/** Where a log goes. */
export class LogSink {
  readonly #path: string | undefined;
  #fd: number;
  #lines: string[] = [];
  #length = 0;
  /** What is being written, or could not be. */
  #chunk: Buffer | undefined;
  /** What a write under way has; it closes that when another one has taken its place meanwhile. */
  #writingTo: number | undefined;
  #isBroken = false;
  /** Whoever read it is gone for good. */
  #isClosed = false;

  /**
   * @param path Undefined for stderr. The file is made with mode 0600, and its folders with 0700.
   * @throws {GiraffeError} GIR_ERR_CONFIG for a file that cannot be opened.
   */
  constructor(path: string | undefined) {
    this.#path = path;
    this.#fd = path === undefined ? process.stderr.fd : openLog(path);
    setInterval(() => this.#flush(), flushMs).unref();
    process.once('exit', () => this.#flushAtExit());
  }

  /** Takes one line with its line break. */
  write(line: string): void {
    if (this.#isClosed || this.#length > maxLength) return;
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#length >= flushLength && !this.#isBroken) this.#flush();
  }

  /** Opens the file anew, after something has moved it away. The former one stays in use when that fails. */
  reopen(): void {
    if (this.#path === undefined) return;
    const former = this.#fd;
    try {
      this.#fd = openLog(this.#path);
      if (this.#writingTo !== former) closeSync(former);
    } catch (error) {
      this.#tell(error);
    }
  }

  #flush(): void {
    if (this.#writingTo !== undefined || this.#isClosed) return;
    this.#chunk ??= this.#takeLines();
    const chunk = this.#chunk;
    if (chunk === undefined) return;
    const fd = this.#fd;
    this.#writingTo = fd;
    fsWrite(fd, chunk, (error, bytes) => {
      this.#writingTo = undefined;
      if (fd !== this.#fd) closeSync(fd);
      if (error !== null) return this.#failed(error);
      this.#isBroken = false;
      this.#chunk = bytes < chunk.length ? chunk.subarray(bytes) : undefined;
      if (this.#chunk !== undefined || this.#length >= flushLength) this.#flush();
    });
  }

  #takeLines(): Buffer | undefined {
    if (this.#lines.length === 0) return undefined;
    const text = this.#lines.join('');
    this.#lines = [];
    this.#length = 0;
    return Buffer.from(text);
  }

  /** The next flush tries again, unless nobody can ever read it. */
  #failed(error: NodeJS.ErrnoException): void {
    if (error.code === 'EPIPE') this.#isClosed = true;
    else if (error.code !== 'EAGAIN') this.#tell(error);
  }

  #flushAtExit(): void {
    if (this.#isClosed) return;
    // A chunk that is being written leaves by itself.
    const chunk = this.#writingTo === undefined ? this.#chunk : undefined;
    const parts = [chunk, this.#takeLines()].filter((part) => part !== undefined);
    let rest = Buffer.concat(parts);
    for (let attempt = 0; rest.length > 0 && attempt < exitAttempts; ) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
        attempt += 1;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, exitPauseMs);
      }
    }
  }

  #tell(error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    process.stderr.write(`The log cannot be written: ${reasonOf(error)}. Everything else goes on.\n`);
  }
}

function openLog(path: string): number {
  try {
    makeFolder(dirname(resolve(path)));
    return openSync(path, 'a', 0o600);
  } catch (cause) {
    throw new GiraffeError('GIR_ERR_CONFIG', `the log file ${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

/** As mkdir's own `recursive`, which never ends below /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
