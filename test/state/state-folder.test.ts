import { EventEmitter, once } from 'node:events';
import { chmod, lutimes, mkdir, readdir, readFile, stat, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FileSystem, nodeFileSystem } from '../../src/state/file-system.ts';
import { defaultStateDir, type JsonFormat, openStateFolder } from '../../src/state/state-folder.ts';
import { type BrokenStep, createBrokenDisk, createTemporaryFolder, openTemporaryFolder } from './temporary-folder.ts';

interface Counter {
  readonly v: 1;
  readonly n: number;
}
const counterFormat: JsonFormat<Counter> = {
  version: 1,
  parse: (json) => {
    const { n } = json as Counter;
    if (typeof n !== 'number') throw new TypeError('n');
    return { v: 1, n };
  },
};
const withoutSymlinks = () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' }));
const asFile = (owner: string, lock: string) => writeFile(lock, owner);
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
/** The highest process id of Linux is 2^22; no process has this one. */
const deadPid = 2 ** 22 + 1;

describe('defaultStateDir()', () => {
  it('is below XDG_STATE_HOME, or below the home folder without an absolute one', () => {
    expect(defaultStateDir({ XDG_STATE_HOME: '/x', HOME: '/h' })).toBe('/x/giraffe');
    expect(defaultStateDir({ XDG_STATE_HOME: 'relative', HOME: '/h' })).toBe('/h/.local/state/giraffe');
    expect(defaultStateDir({ XDG_STATE_HOME: '', HOME: '' })).toBe(join(homedir(), '.local/state/giraffe'));
  });
});

describe('openStateFolder()', () => {
  it('makes the folder, and its parents, with mode 0700', async () => {
    const path = join(await createTemporaryFolder(), 'a', 'b');
    const { folder } = await openTemporaryFolder(path);
    expect(folder.path).toBe(path);
    expect(await modeOf(path)).toBe(0o700);
  });

  it('tightens the mode of a folder that is ours', async () => {
    const path = join(await createTemporaryFolder(), 'loose');
    await mkdir(path);
    await chmod(path, 0o755);
    await openTemporaryFolder(path);
    expect(await modeOf(path)).toBe(0o700);
  });

  it('refuses a folder shared by all users and leaves its mode alone', async () => {
    const path = await createTemporaryFolder();
    await chmod(path, 0o1777);
    await expect(openStateFolder(path)).rejects.toMatchObject({
      code: 'GIR_ERR_STATE',
      message: expect.stringContaining(join(path, 'giraffe')),
    });
    expect((await stat(path)).mode & 0o7777).toBe(0o1777);
  });

  it('names path, cause and next step when a file stands in the way', async () => {
    const path = join(await createTemporaryFolder(), 'file');
    await writeFile(path, '');
    await expect(openStateFolder(path)).rejects.toMatchObject({
      code: 'GIR_ERR_STATE',
      message: expect.stringMatching(/file: EEXIST.*--state-dir/),
    });
    await expect(openStateFolder(join(path, 'below'))).rejects.toMatchObject({
      code: 'GIR_ERR_STATE',
      message: expect.stringMatching(/below: ENOTDIR.*--state-dir/),
    });
  });

  it.skipIf(process.platform !== 'linux').each(['/proc/giraffe', '/proc/giraffe/state'])(
    'fails at once at %s, where the system lets nobody make a folder and says that none is there',
    async (path) => {
      await expect(openStateFolder(path)).rejects.toMatchObject({
        code: 'GIR_ERR_STATE',
        message: expect.stringMatching(new RegExp(`^cannot open the state folder ${path}: ENOENT.*--state-dir`)),
      });
    },
  );

  it('makes a folder that another process makes at the same time', async () => {
    const path = join(await createTemporaryFolder(), 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 8 }, () => openTemporaryFolder(path)));
    expect(await modeOf(path)).toBe(0o700);
  });

  it('removes old temporary files of dead writers, and no others', async () => {
    const path = await createTemporaryFolder();
    const mark = '0123456789abcdef';
    const old = Date.now() / 1000 - 120;
    const dead = `.a.${deadPid}.${mark}.tmp`;
    const ownEarlierLife = `.a.${process.pid}.${mark}.tmp`;
    const young = `.b.${deadPid}.${mark}.tmp`;
    const alive = `.a.${process.ppid}.${mark}.tmp`;
    const foreign = '.a.tmp';
    const ancient = `.c.${process.ppid}.${mark}.tmp`;
    for (const name of [dead, ownEarlierLife, young, alive, foreign, ancient]) await writeFile(join(path, name), '');
    for (const name of [dead, ownEarlierLife, alive, foreign]) await utimes(join(path, name), old, old);
    await utimes(join(path, ancient), 0, 0);
    await openTemporaryFolder(path);
    expect((await readdir(path)).sort()).toEqual([young, alive, foreign].sort());
  });
});

describe('StateFolder.writeFile()', () => {
  it('writes with mode 0600 and leaves nothing else behind', async () => {
    const { folder } = await openTemporaryFolder();
    await folder.writeFile('a', 'one');
    await folder.writeFile('a', Buffer.from('two'));
    expect((await folder.readFile('a'))?.toString()).toBe('two');
    expect(await modeOf(folder.pathOf('a'))).toBe(0o600);
    expect(await readdir(folder.path)).toEqual(['a']);
  });

  it('ends with the last of many writes that were called at once', async () => {
    const { folder } = await openTemporaryFolder();
    await Promise.all(Array.from({ length: 50 }, (_, i) => folder.writeFile('a', String(i))));
    expect((await folder.readFile('a'))?.toString()).toBe('49');
  });

  it.each<[BrokenStep, string, RegExp]>([
    ['open', 'EACCES', /owner and mode/],
    ['open', 'EROFS', /read-only/],
    ['write', 'ENOSPC', /Free some space/],
    ['write', 'EDQUOT', /Free some space/],
    ['sync', 'EIO', /Check the disk/],
    ['rename', 'EIO', /Check the disk/],
  ])('keeps the old file and no temporary one when %s fails with %s', async (step, code, next) => {
    const broken: { step: BrokenStep | undefined; code: string } = { step: undefined, code };
    const { folder } = await openTemporaryFolder(undefined, createBrokenDisk(broken));
    await folder.writeFile('a', 'old');
    broken.step = step;
    const failed = folder.writeFile('a', 'secret new content');
    await expect(failed).rejects.toMatchObject({ code: 'GIR_ERR_STATE', message: expect.stringMatching(next) });
    await expect(failed).rejects.toThrow(new RegExp(`${folder.pathOf('a')}: ${code}`));
    await expect(failed).rejects.not.toThrow(/secret/);
    expect((await folder.readFile('a'))?.toString()).toBe('old');
    expect(await readdir(folder.path)).toEqual(['a']);
    broken.step = undefined;
    await folder.writeFile('a', 'new');
    expect((await folder.readFile('a'))?.toString()).toBe('new');
  });

  it('refuses names that would leave the folder', async () => {
    const { folder } = await openTemporaryFolder();
    for (const name of ['../a', '/a', '.a', '', 'A', 'a/b']) expect(() => folder.pathOf(name)).toThrow('state file');
  });

  it('waits for writes under way when closed, and refuses those that come later', async () => {
    const { folder } = await openTemporaryFolder();
    const written = folder.writeFile('a', 'one');
    await folder[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    expect(await readFile(folder.pathOf('a'), 'utf8')).toBe('one');
    await written;
    await expect(folder.writeFile('a', 'two')).rejects.toMatchObject({ code: 'GIR_ERR_STATE' });
  });
});

describe('JSON files', () => {
  it.each(['', '{', '[]', '{"v":1}', 'null', '\u0000\u0000'])(
    'moves %j aside with a warning and opens',
    async (text) => {
      const { folder, warnings } = await openTemporaryFolder();
      await writeFile(folder.pathOf('c.json'), text);
      expect(await folder.readJson('c.json', counterFormat)).toBeUndefined();
      expect(await readFile(folder.pathOf('c.json.corrupt-1'), 'utf8')).toBe(text);
      expect(warnings).toEqual([expect.stringMatching(/c\.json is damaged .*c\.json\.corrupt-1$/)]);
    },
  );

  it('never overwrites an earlier damaged file', async () => {
    const { folder } = await openTemporaryFolder();
    for (const text of ['one', 'two']) {
      await writeFile(folder.pathOf('c.json'), text);
      await folder.readJson('c.json', counterFormat);
    }
    expect(await readFile(folder.pathOf('c.json.corrupt-1'), 'utf8')).toBe('one');
    expect(await readFile(folder.pathOf('c.json.corrupt-2'), 'utf8')).toBe('two');
  });

  it('refuses, and keeps in its place, a file of a newer release', async () => {
    const { folder } = await openTemporaryFolder();
    await writeFile(folder.pathOf('c.json'), '{"v":2}');
    await expect(folder.readJson('c.json', counterFormat)).rejects.toMatchObject({
      code: 'GIR_ERR_STATE',
      message: expect.stringContaining('newer giraffe'),
    });
    expect(await readdir(folder.path)).toEqual(['c.json']);
  });

  it('quotes nothing of a damaged file', async () => {
    const { folder, warnings } = await openTemporaryFolder();
    await writeFile(folder.pathOf('c.json'), 'grf_secret');
    await folder.readJson('c.json', counterFormat);
    expect(warnings.join()).not.toContain('grf_secret');
  });

  it.each([
    ['', nodeFileSystem],
    [', on a file system without symbolic links', { ...nodeFileSystem, symlink: withoutSymlinks }],
  ])('loses no update when two open folders change the same file at once%s', async (_, fileSystem) => {
    const { folder: one } = await openTemporaryFolder(undefined, fileSystem);
    const { folder: other } = await openTemporaryFolder(one.path, fileSystem);
    const count = (folder: typeof one) =>
      folder.updateJson('c.json', counterFormat, async (read) => {
        return { v: 1 as const, n: read.status === 'sound' ? read.value.n + 1 : 1 };
      });
    await Promise.all(Array.from({ length: 20 }, (_, i) => count(i % 2 === 0 ? one : other)));
    expect(await one.readJson('c.json', counterFormat)).toEqual({ v: 1, n: 20 });
    expect(await readdir(one.path)).toEqual(['c.json']);
  });

  it('waits for the lock of a live process', async () => {
    const { folder } = await openTemporaryFolder();
    const lock = join(folder.path, '.c.json.lock');
    await symlink(`${hostname()} ${process.ppid} 0123456789abcdef`, lock);
    const looks = new EventEmitter();
    const lstatSeen: FileSystem['lstat'] = ((path: string) => {
      looks.emit('look');
      return nodeFileSystem.lstat(path);
    }) as typeof nodeFileSystem.lstat;
    const { folder: waiting } = await openTemporaryFolder(folder.path, { ...nodeFileSystem, lstat: lstatSeen });
    let entered = false;
    const done = waiting.exclusive('c.json', async () => {
      entered = true;
    });
    for (let look = 0; look < 3; look += 1) await once(looks, 'look');
    expect(entered).toBe(false);
    await unlink(lock);
    await done;
    expect(entered).toBe(true);
  });

  it.each([
    ['a dead process', `${hostname()} ${deadPid} 0123456789abcdef`, 0, symlink],
    ['a dead process, kept in a file', `${hostname()} ${deadPid} 0123456789abcdef`, 0, asFile],
    ['an earlier life of this process id', `${hostname()} ${process.pid} 0123456789abcdef`, 0, symlink],
    ['another machine, long ago', 'elsewhere 1 0123456789abcdef', 20, symlink],
    ['a live process, long ago', `${hostname()} ${process.ppid} 0123456789abcdef`, 20, symlink],
    ['nobody knows whom, long ago', '', 20, asFile],
  ])('breaks the lock of %s', async (_, owner, ageSeconds, make) => {
    const { folder } = await openTemporaryFolder();
    const lock = join(folder.path, '.c.json.lock');
    await make(owner, lock);
    const at = Date.now() / 1000 - ageSeconds;
    await lutimes(lock, at, at);
    await folder.updateJson('c.json', counterFormat, async () => ({ v: 1, n: 1 }));
    expect(await readdir(folder.path)).toEqual(['c.json']);
  });
});
