/** Reads certificates to trust from a PEM file. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { systemCode } from '../../state/state-error.ts';

/**
 * Returns the text of a PEM file whose first certificate is sound.
 *
 * @param accepted What the setting takes, for the error of a file that cannot be read.
 * @throws {GiraffeError} GIR_ERR_CERTIFICATE.
 */
export async function readPemFile(path: string, accepted: string): Promise<string> {
  let pem: string;
  try {
    pem = await readFile(path, 'utf8');
  } catch (cause) {
    const reason = systemCode(cause) ?? 'unknown reason';
    throw new GiraffeError('GIR_ERR_CERTIFICATE', `the CA file ${path} cannot be read (${reason}); ${accepted}`, {
      cause,
    });
  }
  try {
    new X509Certificate(pem);
    return pem;
  } catch (cause) {
    throw new GiraffeError('GIR_ERR_CERTIFICATE', `${path} holds no PEM certificate`, { cause });
  }
}
