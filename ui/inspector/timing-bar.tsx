/** Where the time of an exchange went, from hop to hop. */
import type { ExchangeDetail } from '../../src/inspector/exchange-view.ts';
import { durationText } from '../parts/format.ts';
import { phasesOf } from './phases.ts';

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
