/**
 * Makes, lists and revokes tokens in the state folder of an edge, and tells what it did.
 *
 * An edge that runs over the same folder notices within a second. A secret is shown once, on stdout and nowhere else.
 */
import { stat } from 'node:fs/promises';
import { resolveSettings, type SettingTable, type SettingValues } from '../../config/setting.ts';
import { newTokenSettings, tokenFolderSettings } from '../../config/token-settings.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { defaultStateDir, openStateFolder } from '../../state/state-folder.ts';
import { openTokenStore, type TokenStore, type TokenSummary } from '../../state/token-store.ts';
import type { HostContext } from '../oclif/host-context.ts';
import { readConfigFile } from '../settings/program-config.ts';
import { writeEvent } from '../terminal/output.ts';
import { printable } from '../terminal/printable.ts';
import { tableOrBlocks } from '../terminal/text-table.ts';

type TokenContext = Pick<HostContext, 'input' | 'output' | 'json'>;

/**
 * Makes a token as the flags say and prints its secret, for the only time. Makes the state folder when it is missing.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE for a name or pattern out of bounds; GIR_ERR_CONFIG, GIR_ERR_STATE.
 */
export async function createToken(context: TokenContext): Promise<number> {
  const { name, endpoints, expires, stateDir } = await settingsOf(newTokenSettings, context);
  return withTokens(context, stateDir, async (tokens) => {
    const expiresAt = expires === undefined ? undefined : new Date(Date.now() + expires);
    const made = await tokens.createToken({ name, endpoints, ...(expiresAt === undefined ? {} : { expiresAt }) });
    const { output, json } = context;
    if (json) {
      writeEvent(output, 'token-created', { id: made.id, name, endpoints, expiresAt, token: made.secret });
      return 0;
    }
    output.err(printable(`Token ${name} (${made.id}) for ${endpoints.join(', ')}; ${expiryText(expiresAt)}.`));
    output.err('It is shown only now. Give it to the agent in GIRAFFE_TOKEN or a --token-file:');
    output.out(made.secret);
    return 0;
  });
}

/** Returns all tokens. Throws GIR_ERR_USAGE, GIR_ERR_CONFIG, GIR_ERR_STATE. */
export async function knownTokens(context: TokenContext): Promise<readonly TokenSummary[]> {
  return withTokens(context, await existingFolder(context), async (tokens) => tokens.listTokens());
}

/** Prints all tokens, without their secrets. Throws GIR_ERR_USAGE, GIR_ERR_CONFIG, GIR_ERR_STATE. */
export async function listTokens(context: TokenContext): Promise<number> {
  return withTokens(context, await existingFolder(context), async (tokens) => {
    const { output, json } = context;
    const all = tokens.listTokens();
    if (json) for (const token of all) writeEvent(output, 'token', { ...token, expired: isExpired(token) });
    else if (all.length === 0) output.err('There are no tokens. `giraffe token create` makes one.');
    else {
      const layout = { width: process.stdout.columns ?? Number.POSITIVE_INFINITY, title: nameColumn };
      for (const line of tableOrBlocks(rowsOf(all), layout)) output.out(line);
    }
    return 0;
  });
}

/**
 * Revokes a token by its id, or by its name if only one has it.
 *
 * @throws {GiraffeError} GIR_ERR_TOKEN_UNKNOWN, GIR_ERR_USAGE, GIR_ERR_CONFIG, GIR_ERR_STATE.
 */
export async function revokeToken(context: TokenContext, wanted: string): Promise<number> {
  return withTokens(context, await existingFolder(context), async (tokens) => {
    const { id, name } = findToken(tokens.listTokens(), wanted);
    if (!(await tokens.revokeToken(id))) throw unknownToken(wanted);
    const { output, json } = context;
    if (json) writeEvent(output, 'token-revoked', { id, name });
    else output.err(printable(`Token ${name} (${id}) is revoked; sessions that use it end within a second.`));
    return 0;
  });
}

function findToken(tokens: readonly TokenSummary[], wanted: string): TokenSummary {
  const byId = tokens.find(({ id }) => id === wanted);
  if (byId !== undefined) return byId;
  const [token, ...others] = tokens.filter(({ name }) => name === wanted);
  if (token === undefined) throw unknownToken(wanted);
  if (others.length === 0) return token;
  const ids = [token, ...others].map(({ id }) => id).join(', ');
  throw new GiraffeError('GIR_ERR_TOKEN_UNKNOWN', `several tokens are called ${wanted}: name one of ${ids}`);
}

/** Who passes the secret itself has put it into the process list, and must not find it in a log as well. */
function unknownToken(wanted: string): GiraffeError {
  return new GiraffeError('GIR_ERR_TOKEN_UNKNOWN', `no token has the id or name ${wanted}`);
}

/** Settings of a table; a state folder that only the configuration file of the edge names is found, too. */
async function settingsOf<Table extends SettingTable>(
  table: Table,
  { input }: TokenContext,
): Promise<SettingValues<Table>> {
  const { source } = await readConfigFile(input);
  return resolveSettings(table, input.flags, input.environment, source);
}

async function withTokens<T>(
  { input, output }: TokenContext,
  stateDir: string | undefined,
  work: (tokens: TokenStore) => Promise<T>,
): Promise<T> {
  const onWarning = ({ message }: { readonly message: string }) => output.err(printable(`Warning: ${message}`));
  await using folder = await openStateFolder(stateDir ?? defaultStateDir(input.environment), { onWarning });
  return await work(await openTokenStore(folder));
}

/** Returns the folder. One that is not there holds no tokens, and the edge's must be another one: it is not made here. */
async function existingFolder(context: TokenContext): Promise<string> {
  const { stateDir } = await settingsOf(tokenFolderSettings, context);
  const path = stateDir ?? defaultStateDir(context.input.environment);
  const isThere = await stat(path).then(
    () => true,
    () => false,
  );
  if (isThere) return path;
  throw new GiraffeError(
    'GIR_ERR_STATE',
    `there is no state folder ${path}. Run this on the machine and as the user of the edge, or pass its --state-dir.`,
  );
}

const nameColumn = 1;

function rowsOf(tokens: readonly TokenSummary[]): string[][] {
  const rows = tokens.map((token) => [token.id, token.name, token.endpoints.join(', '), expiryText(token.expiresAt)]);
  return [['ID', 'NAME', 'ENDPOINTS', 'EXPIRES'], ...rows];
}

function expiryText(expiresAt: Date | undefined): string {
  if (expiresAt === undefined) return 'never expires';
  return `${expiresAt.getTime() <= Date.now() ? 'expired' : 'expires'} ${expiresAt.toISOString()}`;
}

function isExpired({ expiresAt }: TokenSummary): boolean {
  return expiresAt !== undefined && expiresAt.getTime() <= Date.now();
}
