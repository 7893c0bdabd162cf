import { describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/agent-options.ts';
import { GiraffeError } from '../../../../src/errors/giraffe-error.ts';
import { ReadyGate } from '../../../../src/host/agent/readiness/ready-gate.ts';

describe('ReadyGate', () => {
  it('does not call a tunnel ready that was withdrawn while it was held back, and says that one is', async () => {
    const shown: AgentEvent[] = [];
    const gate = new ReadyGate((event) => shown.push(event));
    const tunnel = (domain: string) => ({
      name: undefined,
      domain,
      url: `http://${domain}`,
      target: 'http://localhost:1',
    });
    const ready = { type: 'ready', mode: 'grpc', reason: undefined } as const;
    const withdrawn = {
      type: 'withdrawn',
      ...tunnel('a.test'),
      error: new GiraffeError('GIR_ERR_DISCONNECTED'),
    } as const;
    gate.pass({ ...ready, tunnels: [tunnel('a.test'), tunnel('b.test')] });
    gate.pass(withdrawn);
    expect(await gate.withdrawn).toMatchObject({ code: 'GIR_ERR_DISCONNECTED' });
    gate.open();
    expect(shown).toEqual([withdrawn, { ...ready, tunnels: [tunnel('b.test')] }]);
  });
});
