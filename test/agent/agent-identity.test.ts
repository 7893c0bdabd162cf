import { describe, expect, it } from 'vitest';
import { AgentIdentity } from '../../src/agent/agent-identity.ts';
import type { AgentTunnel } from '../../src/agent/agent-options.ts';
import { parseTarget } from '../../src/http/target.ts';
import { recordingLogger } from '../support/world.ts';

const target = parseTarget('3000');
const welcome = {
  software: 'giraffe/0.1.0',
  capabilities: ['exchange', 'relay'],
  sessionId: 's1',
  endpoints: [{ host: 'a.test', url: '' }],
  ports: { grpc: 0, tunnel: 0 },
  keepAliveMs: 1000,
  maxStreams: 1,
};

function identity(...tunnels: [AgentTunnel, ...AgentTunnel[]]): AgentIdentity {
  return new AgentIdentity({
    tunnels,
    server: { host: 'localhost', grpcPort: 1, tunnelPort: 1 },
    token: 't',
    trust: { kind: 'system' },
    transport: 'auto',
    hostHeader: 'preserve',
    logger: recordingLogger().logger,
  });
}

describe('AgentIdentity', () => {
  it('asks for the policies of its tunnels, once for each session, and not at all when there is none', () => {
    const policy = { maxConcurrent: 1 };
    const one = identity({ domain: 'a.test', target, policy }, { domain: 'b.test', target });
    expect(one.hello(1, undefined).policies).toEqual([policy, null]);
    expect(one.hello(1, 'ticket')).not.toHaveProperty('policies');
    expect(identity({ domain: 'a.test', target }).hello(1, undefined)).not.toHaveProperty('policies');
  });

  it('does not serve through an edge that cannot put its policies in force', () => {
    const one = identity({ domain: 'a.test', target, policy: { maxConcurrent: 1 } });
    expect(() => one.welcomed(welcome)).toThrow(expect.objectContaining({ code: 'GIR_ERR_PROTOCOL_VERSION' }));
    expect(one.welcomed({ ...welcome, capabilities: ['policy'] }).size).toBe(1);
    expect(identity({ domain: 'a.test', target }).welcomed(welcome).size).toBe(1);
  });

  it('asks no more for an endpoint that was withdrawn, nor for its policy', () => {
    const policy = { maxConcurrent: 1 };
    const one = identity(
      { domain: 'A.test', target, policy },
      { domain: undefined, target },
      { domain: 'c.test', target },
    );
    const names = ['a.test', 'chosen.test', 'c.test'];
    const given = { ...welcome, capabilities: ['policy'], endpoints: names.map((host) => ({ host, url: '' })) };
    one.welcomed(given);
    one.withdraw('a.test');
    expect(one.hello(2, undefined)).toMatchObject({ endpoints: ['chosen.test', 'c.test'] });
    expect(one.hello(2, undefined)).not.toHaveProperty('policies');
    expect([...one.welcomed({ ...welcome, endpoints: given.endpoints.slice(1) }).keys()]).toEqual([
      'chosen.test',
      'c.test',
    ]);
    one.withdraw('chosen.test');
    expect(one.forgetChosenNames()).toBe(false);
    expect(one.hello(3, undefined).endpoints).toEqual(['c.test']);
  });

  it('refuses policies that are too long for HELLO', () => {
    const allowedOrigins = Array.from({ length: 100 }, (_, index) => `https://${'x'.repeat(200)}${index}.test`);
    expect(() => identity({ domain: 'a.test', target, policy: { allowedOrigins } })).toThrow(
      expect.objectContaining({ code: 'GIR_ERR_CONFIG' }),
    );
  });
});
