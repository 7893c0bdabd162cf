/** The dashboard behind the sign-in: figures, plots, tunnels, agents, tokens, events, and what an operator can do. */
import { useState } from 'preact/hooks';
import type { Api } from '../parts/api.ts';
import { Brand } from '../parts/brand.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { ConnectionBadge } from '../parts/connection-badge.tsx';
import { ageText, durationText } from '../parts/format.ts';
import { Icon } from '../parts/icon.tsx';
import { useToasts } from '../parts/toasts.tsx';
import { DisconnectDialog } from './disconnect-dialog.tsx';
import { isDraining } from './draining.ts';
import type { Tunnel } from './edge-api.ts';
import { EventFeed } from './event-feed.tsx';
import { Plot } from './plot.tsx';
import { rateText, Tiles } from './tiles.tsx';
import { Tokens } from './tokens.tsx';
import { AgentTable, TunnelTable } from './tunnel-table.tsx';
import { useEvents } from './use-events.ts';
import { useFigures } from './use-figures.ts';

/** What the board works with. */
export interface BoardProps {
  readonly api: Api;
  /** The token is given up, with the reason if it was refused. */
  readonly onSignOut: (reason?: string) => void;
}

/** The board. */
export function Board({ api, onSignOut }: BoardProps) {
  const figures = useFigures(api, () => onSignOut('The edge no longer takes this token.'));
  const events = useEvents(api);
  const toasts = useToasts();
  const [leaving, setLeaving] = useState<Tunnel | undefined>(undefined);
  const [isAskingToDrain, askToDrain] = useState(false);
  const { stats, tunnels, points, isOpen } = figures;

  /** What an operator ordered is done. */
  const done = (text: string): void => {
    setLeaving(undefined);
    askToDrain(false);
    toasts.show(text);
    figures.look();
  };
  const drain = async (): Promise<void> => {
    const { deadlineMs } = await api.send<{ deadlineMs: number }>('POST', '/api/v1/drain');
    done(`The edge drains; what is in flight has ${durationText(deadlineMs)}`);
  };

  return (
    <div class="board">
      <header class="top-bar">
        <Brand page="dashboard" />
        {isOpen && isDraining(events, stats?.startedAt) ? (
          <span class="badge warn">draining</span>
        ) : (
          <ConnectionBadge isOpen={isOpen} />
        )}
        {stats !== undefined && (
          <span class="muted wide-only">up {ageText(Date.parse(stats.takenAt) - Date.parse(stats.startedAt))}</span>
        )}
        <span class="spacer" />
        <button type="button" class="button danger" disabled={isOpen !== true} onClick={() => askToDrain(true)}>
          Drain
        </button>
        <button type="button" class="button plain" aria-label="Sign out" onClick={() => onSignOut()}>
          <Icon name="leave" /> <span class="wide-only">Sign out</span>
        </button>
      </header>
      {isOpen === false && (
        <p class="notice bad" role="alert">
          <Icon name="plug" />
          The edge does not answer. This page goes on when it does.
        </p>
      )}
      <main class="sections">
        {stats !== undefined && <Tiles stats={stats} points={points} />}
        <div class="plots">
          <Plot
            title="Requests per second"
            points={points}
            text={rateText}
            series={[{ label: 'requests', colour: 'info', value: (point) => point.requestsPerSecond }]}
          />
          <Plot
            title="Latency"
            points={points}
            text={durationText}
            series={[
              { label: 'p50', colour: 'ok', value: (point) => point.p50Ms },
              { label: 'p95', colour: 'phase-connect', value: (point) => point.p95Ms },
              { label: 'p99', colour: 'phase-wait', value: (point) => point.p99Ms },
            ]}
          />
          <Plot
            title="Errors per second"
            points={points}
            text={rateText}
            series={[{ label: 'errors', colour: 'bad', value: (point) => point.errorsPerSecond }]}
          />
        </div>
        <section class="card" aria-labelledby="tunnels-title">
          <div class="card-head">
            <h2 id="tunnels-title">Tunnels</h2>
          </div>
          <TunnelTable tunnels={tunnels} onDisconnect={setLeaving} />
        </section>
        <section class="card" aria-labelledby="agents-title">
          <div class="card-head">
            <h2 id="agents-title">Agents</h2>
          </div>
          <AgentTable tunnels={tunnels} />
        </section>
        <Tokens api={api} isOpen={isOpen} tell={toasts.show} />
        <section class="card" aria-labelledby="events-title">
          <div class="card-head">
            <h2 id="events-title">Live events</h2>
          </div>
          <EventFeed events={events} />
        </section>
      </main>
      {leaving !== undefined && (
        <DisconnectDialog api={api} tunnel={leaving} onDone={done} onClose={() => setLeaving(undefined)} />
      )}
      {isAskingToDrain && (
        <Confirm
          title="Drain and end this edge?"
          text="It takes nothing new, tells its agents, finishes what is in flight, and ends. Only its service manager starts it again."
          action="Drain"
          work={drain}
          onClose={() => askToDrain(false)}
        />
      )}
      {toasts.place}
    </div>
  );
}
