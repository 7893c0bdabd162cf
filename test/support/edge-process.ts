/** A script: an edge in a process of its own. Answers `handles` and `stats`. */
import type { EdgeLimits, EdgeOptions } from '../../src/edge/edge-options.ts';
import { scriptSettings, serveScript } from './script-process.ts';
import { startTestEdge } from './world.ts';

/** What it is started with. */
export interface EdgeSettings {
  readonly limits?: Partial<EdgeLimits>;
  readonly options?: Partial<Pick<EdgeOptions, 'certificate' | 'grpc' | 'tunnel' | 'proxy'>>;
}

const { limits = {}, options = {} } = scriptSettings<EdgeSettings>();
const { edge, log } = await startTestEdge(limits, options);
serveScript(edge.ports, (question) => {
  if (question === 'handles') return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  if (question === 'errors') return log.filter(({ level }) => level === 'error').map(({ message }) => message);
  return edge.stats();
});
