import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openKnownEndpoints } from '../../src/state/known-endpoints.ts';
import type { StateFolder } from '../../src/state/state-folder.ts';
import { type BrokenStep, createBrokenDisk, openTemporaryFolder } from './temporary-folder.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function hostsOnDisk(folder: StateFolder): Promise<string[] | undefined> {
  const data = await folder.readFile('endpoints.json');
  return data === undefined ? undefined : JSON.parse(data.toString()).hosts;
}

it('remembers hosts over a restart', async () => {
  const { folder } = await openTemporaryFolder();
  const known = await openKnownEndpoints(folder);
  known.add('a.test');
  expect(known.has('a.test')).toBe(true);
  expect(known.has('b.test')).toBe(false);
  await known[Symbol.asyncDispose]();
  await known[Symbol.asyncDispose]();
  expect((await openKnownEndpoints(folder)).has('a.test')).toBe(true);
});

it('forgets the least recently seen host beyond its bound', async () => {
  const { folder } = await openTemporaryFolder();
  const known = await openKnownEndpoints(folder, { maxHosts: 2 });
  for (const host of ['a', 'b', 'a', 'c']) known.add(host);
  expect(['a', 'b', 'c'].filter((host) => known.has(host))).toEqual(['a', 'c']);
  await known.flush();
  expect(await hostsOnDisk(folder)).toEqual(['a', 'c']);
});

it('writes many new hosts once, a second after the first, and nothing for a host it knows', async () => {
  const { folder } = await openTemporaryFolder();
  const write = vi.spyOn(folder, 'writeFile');
  const known = await openKnownEndpoints(folder);
  for (let i = 0; i < 100; i += 1) known.add(`${i}.test`);
  await vi.advanceTimersByTimeAsync(999);
  expect(write).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(write).toHaveBeenCalledTimes(1);
  await known.flush();
  known.add('0.test');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(write).toHaveBeenCalledTimes(1);
});

it('keeps the order in which hosts were seen when it ends', async () => {
  const { folder } = await openTemporaryFolder();
  const known = await openKnownEndpoints(folder);
  known.add('a');
  known.add('b');
  await known.flush();
  known.add('a');
  await known[Symbol.asyncDispose]();
  expect(await hostsOnDisk(folder)).toEqual(['b', 'a']);
});

it('goes on with a full disk, warns once per outage, and writes when there is room', async () => {
  const broken: { step: BrokenStep | undefined; code: string } = { step: 'write', code: 'ENOSPC' };
  const { folder, warnings } = await openTemporaryFolder(undefined, createBrokenDisk(broken));
  const known = await openKnownEndpoints(folder);
  known.add('a');
  await known.flush();
  await known.flush();
  expect(known.has('a')).toBe(true);
  expect(warnings).toEqual([expect.stringMatching(/endpoints\.json: ENOSPC/)]);
  broken.step = undefined;
  await known[Symbol.asyncDispose]();
  expect(await hostsOnDisk(folder)).toEqual(['a']);
});

it('tries again by itself after a failed write, less and less often', async () => {
  const { folder } = await openTemporaryFolder();
  const write = vi.spyOn(folder, 'writeFile').mockRejectedValue(new Error('broken'));
  const known = await openKnownEndpoints(folder);
  known.add('a');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(write).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1_999);
  expect(write).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(write).toHaveBeenCalledTimes(2);
  write.mockRestore();
  await vi.advanceTimersByTimeAsync(4_000);
  await known.flush();
  expect(await hostsOnDisk(folder)).toEqual(['a']);
});

it('starts empty, with a warning, when its file is damaged or of a newer release', async () => {
  const { folder, warnings } = await openTemporaryFolder();
  for (const text of ['{"v":1,"hosts":[7]}', '{"v":2}']) {
    await writeFile(folder.pathOf('endpoints.json'), text);
    expect((await openKnownEndpoints(folder)).size).toBe(0);
  }
  expect(warnings).toHaveLength(2);
});

it('ignores what cannot be a host', async () => {
  const { folder } = await openTemporaryFolder();
  const known = await openKnownEndpoints(folder);
  known.add('');
  known.add('x'.repeat(254));
  expect(known.size).toBe(0);
  known.add('x'.repeat(253));
  expect(known.size).toBe(1);
});
