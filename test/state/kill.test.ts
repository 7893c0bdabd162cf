import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { openTokenStore } from '../../src/state/token-store.ts';
import { createTemporaryFolder, openTemporaryFolder } from './temporary-folder.ts';

const rounds = 10;

/** Runs one writer until it acknowledged `acknowledgements` tokens, kills it at once and returns their ids. */
async function killedWriter(path: string, acknowledgements: number): Promise<string[]> {
  const script = join(import.meta.dirname, 'fixtures', 'token-loop.ts');
  const child = spawn(process.execPath, ['--import', 'jiti/register', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const ids: string[] = [];
  for await (const id of createInterface(child.stdout)) {
    ids.push(id);
    if (ids.length === acknowledgements) child.kill('SIGKILL');
  }
  expect(await exited).toEqual([null, 'SIGKILL']);
  return ids;
}

it('hardening 17: keeps every acknowledged token and always opens, over kill -9 of two processes that write at once', async () => {
  const path = await createTemporaryFolder();
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const ids = await Promise.all([killedWriter(path, 3 + round), killedWriter(path, 5 + 2 * round)]);
    acknowledged.push(...ids.flat());

    const { folder, warnings } = await openTemporaryFolder(path);
    const kept = (await openTokenStore(folder)).listTokens().map(({ id }) => id);
    expect(kept).toEqual(expect.arrayContaining(acknowledged));
    expect(warnings).toEqual([]);
    expect(await readFile(folder.pathOf('blob'), 'latin1')).toMatch(/^(tok_[0-9a-f]{16})x{200000}\1$/);
  }

  const leftovers = (await readdir(path)).filter((name) => name.endsWith('.tmp'));
  await Promise.all(leftovers.map((name) => utimes(join(path, name), 0, 0)));
  await openTemporaryFolder(path);
  expect((await readdir(path)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
}, 120_000);
