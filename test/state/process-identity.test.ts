/** A machine without /proc, such as macOS: this one, with nothing to be read there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, vi } from 'vitest';
import { processFate, processIdentity } from '../../src/state/process-identity.ts';
import { hasPrograms } from '../support/programs.ts';

vi.mock('node:fs/promises', async (original) => {
  const nothing = () => Promise.reject(Object.assign(new Error('ENOENT'), { code: 'ENOENT' }));
  return { ...(await original<object>()), readFile: nothing, readlink: nothing, readdir: nothing };
});

const isThere = hasPrograms('ps');

it.skipIf(!isThere)('O6 a process is told from an earlier one with its id by when it began', async () => {
  const identity = await processIdentity();
  expect(identity).toMatchObject({ boot: undefined, namespace: undefined, began: expect.stringMatching(/ \d{4}$/) });
  expect(await processFate(identity)).toBe('running');
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const later = await processIdentity(child.pid);
  expect(await processFate(later)).toBe('running');
  expect(await processFate({ ...later, began: 'Thu Jan  1 00:00:00 1970' })).toBe('gone');
  child.kill();
  await once(child, 'exit');
  expect(await processFate(later)).toBe('gone');
});

it('O6 nothing is held against one of which nobody knows when it began', async () => {
  const { began: _, ...unknown } = await processIdentity();
  expect(await processFate(unknown)).toBe('running');
});
