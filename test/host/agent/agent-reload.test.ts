import { describe, expect, it } from 'vitest';
import type { AgentOptions, ServedTunnel } from '../../../src/agent/agent-options.ts';
import { AgentFigures } from '../../../src/agent/figures.ts';
import { resolveAgentSettings } from '../../../src/config/agent-settings.ts';
import { emptyConfig } from '../../../src/config/config-file.ts';
import { GiraffeError } from '../../../src/errors/giraffe-error.ts';
import { AgentReload } from '../../../src/host/agent/agent-reload.ts';
import { parseTarget } from '../../../src/http/target.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';

const target = parseTarget('3000');

function reloadOf(started: AgentOptions): AgentReload {
  return new AgentReload({
    input: { flags: {}, environment: {} },
    config: { settings: resolveAgentSettings({}, {}), file: emptyConfig() },
    started,
    surroundings: {
      target: '3000',
      environment: {},
      logger: silentLogger,
      figures: new AgentFigures(),
      readStdin: async () => '',
    },
    agent: { replace: async () => {} },
    log: { logger: silentLogger, reopen: () => {}, setLevel: () => {} },
    metrics: { prepare: async () => undefined },
    onChanged: () => {},
  });
}

describe('AgentReload', () => {
  it('S3 takes note of a tunnel that is withdrawn, even if no other one is left', () => {
    const started: AgentOptions = {
      tunnels: [
        { domain: 'a.test', target },
        { domain: 'b.test', target },
      ],
      server: { host: 'localhost', grpcPort: 1 },
      token: '',
      trust: { kind: 'system' },
      transport: 'auto',
      hostHeader: 'preserve',
      logger: silentLogger,
    };
    const reload = reloadOf(started);
    const withdraw = (domain: string) => {
      const tunnel: ServedTunnel = { name: undefined, domain, url: '', target: '' };
      reload.note({ type: 'withdrawn', ...tunnel, error: new GiraffeError('GIR_ERR_DISCONNECTED') });
    };
    withdraw('a.test');
    expect(reload.inForce.tunnels).toEqual([{ domain: 'b.test', target }]);
    // While another agent takes over, what is withdrawn from the former may be all that the next one has.
    withdraw('b.test');
    expect(reload.inForce.tunnels).toEqual([{ domain: 'b.test', target }]);
  });
});
