/** An agent of several endpoints: what happens to one of them must not happen to the other. */
import { parseTarget } from '../../src/http/target.ts';

/** Options of an agent that serves `a.test` and `b.test` from one origin. */
export function tunnelsTo(target: string) {
  const origin = parseTarget(target);
  return {
    tunnels: [
      { domain: 'a.test', target: origin },
      { domain: 'b.test', target: origin },
    ],
  } as const;
}
