/** An agent as its local API sees it, for tests of what else that API serves. */
import type { AgentPort, LocalTunnel } from '../../src/management/agent-port.ts';

/** Returns an agent that serves and has counted nothing. */
export function agentView(tunnels: readonly LocalTunnel[] = []): AgentPort {
  const startedAt = new Date(0);
  const memory = { heap: 0, external: 0, resident: 0 };
  return {
    isReady: () => true,
    tunnels: () => tunnels,
    stats: () => ({ startedAt, takenAt: startedAt, mode: 'hybrid', tunnels: [], memory }),
    noteFault: () => {},
    pullExporters: () => [],
  };
}
