/** Writes the page of a bench to a file. */
import { access, constants, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { BenchResult } from './bench-result.ts';
import { reportPage } from './report/report-page.ts';

/** Finds out before a long load whether its page can be written. @throws {GiraffeError} GIR_ERR_USAGE when it cannot. */
export async function assertWritable(path: string): Promise<void> {
  try {
    await access(dirname(resolve(path)), constants.W_OK);
  } catch (cause) {
    throw new GiraffeError('GIR_ERR_USAGE', `--report: ${(cause as Error).message}`, { cause });
  }
}

/** Writes the page. @throws {GiraffeError} GIR_ERR_USAGE when the file cannot be written. */
export async function writeReport(path: string, result: BenchResult): Promise<void> {
  try {
    await writeFile(path, reportPage(result));
  } catch (cause) {
    throw new GiraffeError('GIR_ERR_USAGE', `--report: ${(cause as Error).message}`, { cause });
  }
}
