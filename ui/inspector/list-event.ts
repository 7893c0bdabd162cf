/** Takes what the agent tells into the list of exchanges. Pure. */
import type { ExchangeListEvent, ExchangeSummary } from '../../src/inspector/exchange-view.ts';

/** Returns a list with an event taken into it. Ids end with a number that counts up. */
export function applyEvent(list: readonly ExchangeSummary[], event: ExchangeListEvent): readonly ExchangeSummary[] {
  const known = new Map(event.isWhole ? [] : list.map((exchange) => [exchange.id, exchange]));
  for (const exchange of event.changed) known.set(exchange.id, exchange);
  for (const id of event.dropped) known.delete(id);
  return [...known.values()].sort((a, b) => numberOf(b) - numberOf(a));
}

function numberOf({ id }: ExchangeSummary): number {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}
