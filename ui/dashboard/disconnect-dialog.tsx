/** Asks before an endpoint is disconnected, and tells what ends with it: an agent of an older release ends as a whole. */
import type { Api } from '../parts/api.ts';
import { Confirm } from '../parts/confirm.tsx';
import { countOf } from '../parts/format.ts';
import type { Tunnel } from './edge-api.ts';

/** What is asked about. */
export interface DisconnectDialogProps {
  readonly api: Api;
  readonly tunnel: Tunnel;
  /** It is done; `text` tells what was. */
  readonly onDone: (text: string) => void;
  readonly onClose: () => void;
}

/** Endpoints that are named; of more only the number is told. */
const maxNamed = 5;

/** The question. */
export function DisconnectDialog({ api, tunnel, onDone, onClose }: DisconnectDialogProps) {
  const work = async (): Promise<void> => {
    const path = `/api/v1/tunnels/${encodeURIComponent(tunnel.domain)}`;
    const { disconnected } = await api.send<{ disconnected: number }>('DELETE', path);
    onDone(`${tunnel.domain} disconnected from ${countOf(disconnected, 'agent')}`);
  };
  return (
    <Confirm
      title={`Disconnect ${tunnel.domain}?`}
      text={consequence(tunnel)}
      action="Disconnect"
      work={work}
      onClose={onClose}
    />
  );
}

/** Returns what disconnecting does, for people. Pure. */
function consequence({ domain, agents }: Tunnel): string {
  const ending = agents.filter(({ canWithdraw }) => !canWithdraw).flatMap(({ domains }) => domains);
  const others = [...new Set(ending)].filter((other) => other !== domain);
  const named = others.length > maxNamed ? `${others.length} other endpoints` : others.join(', ');
  const besides =
    others.length === 0 ? '' : ` It has an agent of an older release, which ends as a whole, with ${named}.`;
  return `It takes no more requests until its ${agents.length > 1 ? 'agents are' : 'agent is'} started again.${besides}`;
}
