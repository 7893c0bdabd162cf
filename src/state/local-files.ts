/**
 * What the edge leaves in its state folder for programs of the same user on the same machine.
 *
 * The agent and the commands read it here, by path: they never make the folder.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { stateError, systemCode } from './state-error.ts';
import { isSecret, type SecretPrefix } from './token-format.ts';

/** File with the plain text of the first token. */
export const agentTokenFile = 'agent-token';
/** File with the plain text of the API's admin token. */
export const adminTokenFile = 'admin-token';
/** File with the certificate of the local CA. */
export const caCertificateFile = 'ca.pem';

/** Returns the secret of the agent's token in a state folder; undefined when there is none. Throws GIR_ERR_STATE. */
export async function readAgentToken(folder: string): Promise<string | undefined> {
  return readSecret(folder, agentTokenFile, 'grf');
}

/** Returns the API's admin token in a state folder; undefined when there is none. Throws GIR_ERR_STATE. */
export async function readAdminToken(folder: string): Promise<string | undefined> {
  return readSecret(folder, adminTokenFile, 'gra');
}

/** Returns the PEM of the local CA in a state folder; undefined when there is none. Throws GIR_ERR_STATE. */
export async function readCaCertificate(folder: string): Promise<string | undefined> {
  return readText(join(folder, caCertificateFile));
}

async function readSecret(folder: string, name: string, prefix: SecretPrefix): Promise<string | undefined> {
  const path = join(folder, name);
  const secret = (await readText(path))?.trim();
  if (secret === undefined || isSecret(prefix, secret)) return secret;
  throw new GiraffeError(
    'GIR_ERR_STATE',
    `cannot use ${path}: it does not hold a ${prefix}_… token. Remove it and restart the edge, or pass the token itself.`,
  );
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw stateError('read', path, error);
  }
}
