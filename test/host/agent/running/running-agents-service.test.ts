import { describe, expect, it } from 'vitest';
import { ageText, chooseAgents } from '../../../../src/host/agent/running/running-agents-service.ts';
import type { RunningAgent } from '../../../../src/state/running-agents.ts';

function agent(
  pid: number,
  ...tunnels: readonly (readonly [name: string | undefined, domain: string])[]
): RunningAgent {
  return {
    v: 1,
    pid,
    startedAt: '2026-01-01T00:00:00.000Z',
    server: 'localhost:4444',
    apiUrl: undefined,
    inspectUrl: undefined,
    logFile: undefined,
    mode: 'hybrid',
    tunnels: tunnels.map(([name, domain]) => ({ name, domain, url: `http://${domain}`, target: 'http://localhost:1' })),
  };
}

const pids = (agents: readonly RunningAgent[]) => agents.map(({ pid }) => pid);

describe('chooseAgents()', () => {
  const one = agent(1, ['web', 'app.test']);
  const twin = agent(2, [undefined, 'app.test']);
  const both = agent(3, ['web', 'web.test'], ['api', 'api.test']);

  it('finds by process id, by domain, and by name', () => {
    expect(pids(chooseAgents([one, both], '3'))).toEqual([3]);
    expect(pids(chooseAgents([one, both], 'APP.test'))).toEqual([1]);
    expect(pids(chooseAgents([one, agent(4, ['docs', 'docs.test'])], 'docs'))).toEqual([4]);
  });

  it('takes all agents of one domain', () => {
    expect(pids(chooseAgents([one, twin], 'app.test'))).toEqual([1, 2]);
  });

  it('takes the only one there is, or none, without a name', () => {
    expect(pids(chooseAgents([both], undefined))).toEqual([3]);
    expect(chooseAgents([], undefined)).toEqual([]);
  });

  it('refuses to guess among several', () => {
    expect(() => chooseAgents([one, both], undefined)).toThrow(
      expect.objectContaining({
        code: 'GIR_ERR_USAGE',
        message: expect.stringContaining('web (app.test) by process 1, web (web.test) and api (api.test) by process 3'),
      }),
    );
  });

  it.each(['web.test', 'web'])('refuses %s when other tunnels would end with it', (name) => {
    expect(() => chooseAgents([one, both], name)).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_USAGE', message: expect.stringMatching(/process id.*by process 3/) }),
    );
  });

  it('says what runs when nothing has the name', () => {
    const failure = (text: string) =>
      expect.objectContaining({ code: 'GIR_ERR_AGENT_UNKNOWN', message: expect.stringContaining(text) });
    expect(() => chooseAgents([one], 'nope')).toThrow(failure('called nope; running: web (app.test) by process 1'));
    expect(() => chooseAgents([], 'nope')).toThrow(failure('no agent is running'));
  });
});

describe('ageText()', () => {
  it('uses the largest unit that fits', () => {
    const ages = [-5, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000].map(ageText);
    expect(ages).toEqual(['0s', '59s', '1m', '59m', '1h', '1d']);
  });
});
