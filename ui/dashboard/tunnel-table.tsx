/** The endpoints and the agents behind them. */
import { ageText, bytesText, countText, durationText } from '../parts/format.ts';
import { Icon } from '../parts/icon.tsx';
import type { Session, Tunnel } from './edge-api.ts';

/** What the table shows. */
export interface TunnelTableProps {
  readonly tunnels: readonly Tunnel[];
  readonly onDisconnect: (tunnel: Tunnel) => void;
}

/** One row for each endpoint. */
export function TunnelTable({ tunnels, onDisconnect }: TunnelTableProps) {
  if (tunnels.length === 0) {
    return (
      <p class="muted absent">
        No agent has opened a tunnel yet. On the machine of the service, run <code>giraffe tunnel 3000</code>.
      </p>
    );
  }
  return (
    <table class="table">
      <thead>
        <tr>
          <th>Endpoint</th>
          <th>State</th>
          <th class="number">Requests</th>
          <th class="number">Errors</th>
          <th class="number">In flight</th>
          <th class="number">p95</th>
          <th class="number">Traffic</th>
          <th>
            <span class="visually-hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tunnels.map((tunnel) => (
          <TunnelRow key={tunnel.domain} tunnel={tunnel} onDisconnect={onDisconnect} />
        ))}
      </tbody>
    </table>
  );
}

function TunnelRow({ tunnel, onDisconnect }: { readonly tunnel: Tunnel } & Pick<TunnelTableProps, 'onDisconnect'>) {
  const { domain, sessions, requests, errors, inFlight, latency, recent, requestBytes, responseBytes } = tunnel;
  const p95Ms = recent.p95Ms ?? latency.p95Ms;
  return (
    <tr>
      <th scope="row" class="mono">
        {domain}
      </th>
      <td data-label="State">
        <TunnelState tunnel={tunnel} />
      </td>
      <td data-label="Requests" class="number">
        {countText(requests)}
      </td>
      <td data-label="Errors" class={`number ${errors > 0 ? 'bad' : ''}`}>
        {countText(errors)}
      </td>
      <td data-label="In flight" class="number">
        {countText(inFlight)}
      </td>
      <td data-label="p95" class="number">
        {p95Ms === undefined ? '–' : durationText(p95Ms)}
      </td>
      <td data-label="Traffic" class="number">
        {bytesText(requestBytes + responseBytes)}
      </td>
      <td class="row-actions">
        <button
          type="button"
          class="button"
          disabled={sessions === 0}
          aria-label={`Disconnect ${domain}`}
          onClick={() => onDisconnect(tunnel)}
        >
          <Icon name="plug" /> Disconnect
        </button>
      </td>
    </tr>
  );
}

function TunnelState({ tunnel: { sessions, breaker, agents } }: { readonly tunnel: Tunnel }) {
  if (breaker === 'open' || breaker === 'half-open') return <span class="badge bad">breaker {breaker}</span>;
  if (sessions === 0) return <span class="badge">no agent</span>;
  const [first] = agents;
  const mode = sessions === 1 ? (first?.mode ?? 'connecting') : `${sessions} agents`;
  return (
    <span class="badge ok">
      <span class="dot" />
      {mode}
    </span>
  );
}

/** One row for each session of an agent. */
export function AgentTable({ tunnels }: { readonly tunnels: readonly Tunnel[] }) {
  const sessions = new Map<string, Session>();
  for (const { agents } of tunnels) for (const agent of agents) sessions.set(agent.sessionId, agent);
  if (sessions.size === 0) return <p class="muted absent">No agent is connected.</p>;
  return (
    <table class="table">
      <thead>
        <tr>
          <th>Agent</th>
          <th>Serves</th>
          <th>Mode</th>
          <th>From</th>
          <th>Labels</th>
          <th class="number">In flight</th>
          <th>Since</th>
        </tr>
      </thead>
      <tbody>
        {[...sessions.values()].map(({ sessionId, principal, domains, mode, peers, labels, inFlight, openedAt }) => (
          <tr key={sessionId}>
            <th scope="row">{principal}</th>
            <td data-label="Serves" class="mono">
              {domains.join(', ')}
            </td>
            <td data-label="Mode">
              <span class={`badge ${mode === 'hybrid' ? 'ok' : 'warn'}`}>{mode ?? 'connecting'}</span>
            </td>
            <td data-label="From" class="mono address">
              {[...new Set(peers.map(addressOf))].join(', ')}
            </td>
            <td data-label="Labels" class="labels">
              {labels.length === 0 ? '–' : labels.join(', ')}
            </td>
            <td data-label="In flight" class="number">
              {countText(inFlight)}
            </td>
            <td data-label="Since" class="short">
              {ageText(Date.now() - Date.parse(openedAt))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Without its port, and IPv4 as such. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
