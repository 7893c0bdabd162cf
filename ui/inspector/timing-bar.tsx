/** Where the time of an exchange went, from hop to hop. */
import type { ExchangeDetail } from '../../src/inspector/exchange-view.ts';
import { durationText } from '../parts/format.ts';

interface Phase {
  readonly name: string;
  readonly tone: string;
  readonly ms: number;
  readonly hint: string;
}

/** Returns the phases that took place. They add up to the whole time. */
export function phasesOf({ times, isReused, durationMs, protocol, status }: ExchangeDetail): readonly Phase[] {
  const connectedMs = times.connectedMs ?? durationMs;
  const headMs = Math.max(connectedMs, times.headMs ?? durationMs);
  const sentMs = Math.min(headMs, Math.max(connectedMs, times.requestEndMs ?? connectedMs));
  const receive = protocol === undefined ? 'Response' : 'Connection open';
  return [
    {
      name: isReused ? 'Kept connection' : 'Connect',
      tone: 'connect',
      ms: connectedMs,
      hint: 'until a connection to the service was there',
    },
    { name: 'Request', tone: 'send', ms: sentMs - connectedMs, hint: 'until the service had the whole request' },
    { name: 'Service', tone: 'wait', ms: headMs - sentMs, hint: 'until the service began to answer' },
    { name: receive, tone: 'receive', ms: Math.max(0, durationMs - headMs), hint: 'until everything had come' },
  ].filter(({ tone, ms }) => ms > 0 || (tone === 'receive' && status !== undefined));
}

/** A bar with a legend. */
export function TimingBar({ exchange }: { readonly exchange: ExchangeDetail }) {
  const phases = phasesOf(exchange);
  const total = Math.max(0.001, exchange.durationMs);
  return (
    <figure class="timing">
      <figcaption class="visually-hidden">Time per hop</figcaption>
      <div class="timing-bar" aria-hidden="true">
        {phases.map(({ name, tone, ms }) => (
          <span key={name} class={`timing-phase ${tone}`} style={{ flexGrow: Math.max(ms / total, 0.004) }} />
        ))}
      </div>
      <ul class="timing-legend">
        {phases.map(({ name, tone, ms, hint }) => (
          <li key={name} title={hint}>
            <span class={`timing-key ${tone}`} aria-hidden="true" />
            {name} <b>{durationText(ms)}</b>
          </li>
        ))}
      </ul>
    </figure>
  );
}
