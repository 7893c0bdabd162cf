/** Asks before the agents of an endpoint are disconnected, and tells what ends with it: an agent ends as a whole. */
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
    onDone(`${countOf(disconnected, 'agent')} disconnected`);
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
  const others = [...new Set(agents.flatMap(({ domains }) => domains))].filter((other) => other !== domain);
  const isOne = agents.length === 1;
  const who = isOne ? 'Its agent ends' : `Its ${agents.length} agents end`;
  const named = others.length > maxNamed ? `${others.length} other endpoints` : others.join(', ');
  const besides = others.length === 0 ? '' : `, and no longer ${isOne ? 'serves' : 'serve'} ${named} either`;
  return `${who} at once${besides}. ${isOne ? 'It does' : 'They do'} not come back until started again.`;
}
