import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, promises, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LogSink } from '../../../src/host/logging/log-sink.ts';
import { createTemporaryFolder } from '../../state/temporary-folder.ts';
import { eventually } from '../../support/eventually.ts';
import { root } from '../../support/repository.ts';

/** Starts a process that logs, and resolves with how it ended and what it wrote to stderr. */
async function logIn(mode: 'burst' | 'steady', path: string) {
  const child = startLogging(mode, path);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

function startLogging(mode: 'burst' | 'steady', ...path: string[]) {
  const args = ['--import', 'jiti/register', 'test/host/logging/fixtures/logging.ts', mode, ...path];
  return spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Keeps the threads that do all file work waiting, until what it returns is called. */
function occupyThreads(folder: string): () => void {
  const path = join(folder, 'nobody-writes');
  execFileSync('mkfifo', [path]);
  const count = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  const opened = Array.from({ length: count }, () => promises.open(path, 'r'));
  onTestFinished(async () => {
    for (const file of await Promise.all(opened)) await file.close();
  });
  return () => closeSync(openSync(path, 'w'));
}

describe('LogSink', () => {
  it('makes the file with its folders, appends, and follows a file that was moved away', async () => {
    const path = join(await createTemporaryFolder(), 'a', 'b.log');
    const sink = new LogSink(path);
    sink.write('one\n');
    await eventually('the line in the file', () => readFileSync(path, 'utf8') === 'one\n');
    renameSync(path, `${path}.1`);
    sink.reopen();
    sink.write('two\n');
    await eventually('the line in the file', () => existsSync(path) && readFileSync(path, 'utf8') === 'two\n');
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('one\n');
  });

  it('finishes a write under way in the former file, however long it takes to begin', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const folder = await createTemporaryFolder();
    const path = join(folder, 'busy.log');
    const sink = new LogSink(path);
    const free = occupyThreads(folder);
    sink.write(`${'x'.repeat(9000)}\n`);
    renameSync(path, `${path}.1`);
    sink.reopen();
    await vi.advanceTimersByTimeAsync(60_000);
    const stranger = openSync(join(folder, 'stranger'), 'w');
    onTestFinished(() => closeSync(stranger));
    free();
    vi.useRealTimers();
    await eventually('the line in the former file', () => readFileSync(`${path}.1`, 'utf8').length === 9001);
    expect(readFileSync(join(folder, 'stranger'), 'utf8')).toBe('');
  });

  it('writes what waits when the process exits', async () => {
    const path = join(await createTemporaryFolder(), 'exit.log');
    expect(await logIn('burst', path)).toEqual({ code: 3, stderr: '' });
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(3000);
  });

  it.skipIf(!existsSync('/dev/full'))(
    'hardening 17: goes on with a full disk, says so once, and spoils no exit status',
    async () => {
      const { code, stderr } = await logIn('steady', '/dev/full');
      expect(code).toBe(0);
      expect(stderr.match(/The log cannot be written: ENOSPC/g)).toHaveLength(1);
      expect((await logIn('burst', '/dev/full')).code).toBe(3);
    },
  );

  it('ends in silence when nobody reads it any more', async () => {
    const child = startLogging('steady');
    await once(child.stderr, 'data');
    child.stderr.destroy();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it.each(['/dev/null/x.log', '/proc/giraffe/x.log'])('refuses %s at once', (path) => {
    expect(() => new LogSink(path)).toThrow(expect.objectContaining({ code: 'GIR_ERR_CONFIG' }));
  });
});
