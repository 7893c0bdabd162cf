/** A script: an agent in a process of its own. Answers `handles` and `events`. */
import type { AgentOptions } from '../../src/agent/agent-options.ts';
import { scriptSettings, serveScript } from './script-process.ts';
import { startTestAgent } from './world.ts';

/** What it is started with. */
export interface AgentSettings {
  readonly ports: { readonly grpc: number; readonly tunnel: number };
  readonly domain: string;
  readonly target: string;
  readonly options: Partial<Pick<AgentOptions, 'trust' | 'server' | 'transport' | 'backoff' | 'connectTimeoutMs'>>;
}

const { ports, domain, target, options } = scriptSettings<AgentSettings>();
const agent = await startTestAgent(ports, domain, target, options);
serveScript('ready', (question) => {
  if (question === 'handles') return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  return agent.events.map(({ type }) => type);
});
