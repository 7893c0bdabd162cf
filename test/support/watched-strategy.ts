/** The built-in strategy, and the ways that it was last offered: their figures are live, so a test sees one being doubted. */
import type { Candidate, RoutingStrategy, Transport } from '../../src/extension/routing-strategy.ts';
import { createHybridStrategy } from '../../src/plugins/routing/hybrid.ts';

/** A strategy for a test edge. */
export interface WatchedStrategy {
  readonly strategy: RoutingStrategy;
  /** Returns the way over this transport that the latest request could have taken; undefined when there was none. */
  offered(transport: Transport): Candidate | undefined;
}

/** Creates one without paths of its own. */
export function watchedStrategy(): WatchedStrategy {
  const hybrid = createHybridStrategy({ forceGrpcPaths: [], forceTcpPaths: [] });
  let latest: readonly Candidate[] = [];
  return {
    strategy: {
      select: (candidates, request) => {
        latest = candidates;
        return hybrid.select(candidates, request);
      },
    },
    offered: (wanted) => latest.find(({ transport }) => transport === wanted),
  };
}
