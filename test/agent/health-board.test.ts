import { describe, expect, it } from 'vitest';
import { type AgentOptions, systemOriginTls } from '../../src/agent/agent-options.ts';
import { HealthBoard } from '../../src/agent/health-board.ts';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { parseTarget, targetText } from '../../src/http/target.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

describe('HealthBoard', () => {
  it('P3 looks after a tunnel that was withdrawn no more, and after another one of the same target on', () => {
    const target = parseTarget('127.0.0.1:1');
    const tunnels: AgentOptions['tunnels'] = [
      { domain: 'a.test', target },
      { domain: 'b.test', target },
    ];
    const options: AgentOptions = {
      tunnels,
      server: { host: 'localhost', grpcPort: 1 },
      token: '',
      trust: { kind: 'system' },
      transport: 'auto',
      hostHeader: 'preserve',
      logger: silentLogger,
    };
    const board = new HealthBoard(
      options,
      () => {},
      () => {},
    );
    let changes = 0;
    board.listen(() => {
      changes += 1;
    });
    board.forget(tunnels[0]);
    board.report(targetText(target), systemOriginTls, new GiraffeError('GIR_ERR_ORIGIN_REFUSED'));
    board.end();
    expect([changes, ...tunnels.map((tunnel) => board.isDown(tunnel))]).toEqual([1, false, true]);
  });
});
