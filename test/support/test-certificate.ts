/** One local CA and server certificate for all tests of a process, made the way an edge makes it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureServerCertificate, type ServerCertificate } from '../../src/state/certificates.ts';
import { openStateFolder } from '../../src/state/state-folder.ts';

let certificate: Promise<ServerCertificate> | undefined;

/** Returns a certificate for localhost, 127.0.0.1, 127.0.0.3, 127.0.0.4 and ::1. */
export function testCertificate(): Promise<ServerCertificate> {
  certificate ??= createCertificate();
  return certificate;
}

const usualNames = ['localhost', '127.0.0.1', '127.0.0.3', '127.0.0.4', '::1'];

/** Returns a certificate of a CA of its own, by default for the same names. */
export async function createCertificate(names: readonly string[] = usualNames): Promise<ServerCertificate> {
  const path = await mkdtemp(join(tmpdir(), 'giraffe-certificate-'));
  await using folder = await openStateFolder(path);
  const made = await ensureServerCertificate(folder, {
    names,
    now: Date.now,
  });
  await rm(path, { recursive: true });
  return made;
}
