/** The soak of this repository, for a few seconds: each main kind of disturbance once. */
import { describe, expect, it } from 'vitest';
import { ChildProgram } from '../support/giraffe-process.ts';
import { root } from '../support/repository.ts';

function soak(settings: Record<string, string>): ChildProgram {
  const env = { ...process.env, SOAK_SEED: '1', SOAK_CLIENTS: '8', SOAK_ROUNDS: '1', ...settings };
  return new ChildProgram(process.execPath, ['--import', 'jiti/register', 'soak/run.ts'], env, root);
}

describe('npm run soak', () => {
  it('T3 T5 finds all failures explained while agents and edge are killed, frozen and restarted', async () => {
    const only = ['agent-killed', 'agent-terminated', 'agent-frozen', 'edge-killed', 'edge-terminated'];
    await using program = soak({ SOAK_FRONT: 'https', SOAK_ONLY: only.join(',') });
    const { code } = await program.ended(100_000);
    expect(program.stdout).toContain('all held');
    expect(program.stdout.match(/ whole again after /g)).toHaveLength(only.length);
    expect(code).toBe(0);
  });

  it('says which variable it cannot use, and what it may be', async () => {
    await using program = soak({ SOAK_ONLY: 'earthquake' });
    const { code } = await program.ended();
    expect(code).toBe(2);
    expect(program.stderr).toMatch(/SOAK_ONLY names "earthquake"; it takes, with commas between: agent-killed, /);
  });
});
