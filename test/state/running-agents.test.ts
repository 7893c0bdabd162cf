import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { processIdentity } from '../../src/state/process-identity.ts';
import { announceAgent, listRunningAgents, type RunningAgent } from '../../src/state/running-agents.ts';
import { createBrokenDisk, createTemporaryFolder } from './temporary-folder.ts';

const agent: RunningAgent = {
  v: 1,
  pid: process.pid,
  startedAt: '2026-01-01T00:00:00.000Z',
  server: 'localhost:4444',
  apiUrl: undefined,
  inspectUrl: undefined,
  logFile: undefined,
  mode: 'tcp',
  tunnels: [
    { name: 'web', domain: 'app.localhost', url: 'http://app.localhost:8081', target: 'http://localhost:3000' },
  ],
};
/** The highest process id of Linux is 2^22; no process has this one. */
const deadPid = 2 ** 22 + 1;

/** Returns a process that does nothing until the test ends. */
async function idleProcess(): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  onTestFinished(() => void child.kill('SIGKILL'));
  return child as ChildProcess & { readonly pid: number };
}

/** Puts a record in place as a process would have, except for what `change` says. */
async function leaveRecord(stateDir: string, pid: number, change: object = {}, of: object = {}): Promise<string> {
  const { pid: _, ...identity } = await processIdentity(pid);
  await mkdir(join(stateDir, 'agents'), { recursive: true });
  const path = join(stateDir, 'agents', `${pid}.json`);
  await writeFile(path, JSON.stringify({ ...agent, pid, process: { ...identity, ...of }, ...change }));
  return path;
}

const pidsIn = async (stateDir: string) => (await listRunningAgents(stateDir)).map(({ pid }) => pid);

describe('announceAgent()', () => {
  it('writes a record that only its owner can read, keeps it true, and removes it', async () => {
    const stateDir = join(await createTemporaryFolder(), 'state');
    const record = await announceAgent(stateDir, agent);
    expect(await listRunningAgents(stateDir)).toEqual([agent]);
    const file = await stat(join(stateDir, 'agents', `${process.pid}.json`));
    const folder = await stat(join(stateDir, 'agents'));
    expect([file.mode & 0o777, folder.mode & 0o777]).toEqual([0o600, 0o700]);

    record.update({ mode: undefined });
    record.update({ mode: 'hybrid', inspectUrl: 'http://127.0.0.1:4040' });
    await expect
      .poll(() => listRunningAgents(stateDir))
      .toEqual([{ ...agent, mode: 'hybrid', inspectUrl: 'http://127.0.0.1:4040' }]);

    record.update({ mode: 'grpc' });
    await record[Symbol.asyncDispose]();
    record.update({ mode: 'tcp' });
    expect(await readdir(join(stateDir, 'agents'))).toEqual([]);
  });

  it('only warns when the folder cannot be made', async () => {
    const stateDir = join(await createTemporaryFolder(), 'file');
    await writeFile(stateDir, '');
    const warnings: string[] = [];
    const record = await announceAgent(stateDir, agent, { onWarning: ({ message }) => warnings.push(message) });
    record.update({ mode: 'hybrid' });
    await record[Symbol.asyncDispose]();
    expect(warnings).toEqual([expect.stringMatching(/^this agent is not listed: cannot open .*--state-dir/)]);
  });

  it('only warns, once, when the disk is full', async () => {
    const stateDir = await createTemporaryFolder();
    const fileSystem = createBrokenDisk({ step: 'write', code: 'ENOSPC' });
    const warnings: string[] = [];
    await using record = await announceAgent(stateDir, agent, {
      fileSystem,
      onWarning: ({ message }) => warnings.push(message),
    });
    record.update({ mode: 'hybrid' });
    expect(warnings).toEqual([expect.stringMatching(/ENOSPC.*Free some space/)]);
  });

  it('refuses a state folder that all users share', async () => {
    const stateDir = await createTemporaryFolder();
    await chmod(stateDir, 0o1777);
    const warnings: string[] = [];
    await using _ = await announceAgent(stateDir, agent, { onWarning: ({ message }) => warnings.push(message) });
    expect(warnings).toEqual([expect.stringContaining('shared by all users')]);
    expect(await readdir(stateDir)).toEqual([]);
  });

  it('leaves a record alone that another process has put in its place', async () => {
    const stateDir = await createTemporaryFolder();
    const record = await announceAgent(stateDir, agent);
    const path = await leaveRecord(stateDir, process.pid, {}, { host: 'another-container' });
    await record[Symbol.asyncDispose]();
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ process: { host: 'another-container' } });
  });
});

describe('listRunningAgents()', () => {
  it('finds none where there is no folder, and does not make one', async () => {
    const stateDir = join(await createTemporaryFolder(), 'nothing');
    expect(await listRunningAgents(stateDir)).toEqual([]);
    await expect(stat(stateDir)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('names the agents of all processes, the oldest first', async () => {
    const stateDir = await createTemporaryFolder();
    const other = await idleProcess();
    await leaveRecord(stateDir, process.pid, { startedAt: '2026-01-02T00:00:00.000Z' });
    await leaveRecord(stateDir, other.pid);
    expect(await pidsIn(stateDir)).toEqual([other.pid, process.pid]);
  });

  it('drops the record of a process that is gone', async () => {
    const stateDir = await createTemporaryFolder();
    const killed = await idleProcess();
    await leaveRecord(stateDir, killed.pid);
    await leaveRecord(stateDir, deadPid, {}, { began: '1' });
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(await pidsIn(stateDir)).toEqual([]);
    expect(await readdir(join(stateDir, 'agents'))).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('drops a record whose process id belongs to a later process', async () => {
    const stateDir = await createTemporaryFolder();
    const other = await idleProcess();
    await leaveRecord(stateDir, other.pid, {}, { began: '1' });
    await leaveRecord(stateDir, process.pid, {}, { boot: 'the boot before' });
    expect(await pidsIn(stateDir)).toEqual([]);
    expect(await readdir(join(stateDir, 'agents'))).toEqual([]);
  });

  it('passes over agents of other machines and containers, and leaves their records', async () => {
    const stateDir = await createTemporaryFolder();
    await leaveRecord(stateDir, deadPid, {}, { host: `not-${hostname()}` });
    await leaveRecord(stateDir, process.pid, {}, { namespace: 'pid:[1]' });
    expect(await pidsIn(stateDir)).toEqual([]);
    expect(await readdir(join(stateDir, 'agents'))).toHaveLength(2);
  });

  it('passes over what is no record', async () => {
    const stateDir = await createTemporaryFolder();
    await leaveRecord(stateDir, process.pid, { v: 2 });
    await writeFile(join(stateDir, 'agents', '1.json'), '{');
    await writeFile(join(stateDir, 'agents', 'notes.txt'), '');
    expect(await pidsIn(stateDir)).toEqual([]);
  });
});
