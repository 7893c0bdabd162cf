/** Cuts the time of an exchange into phases, from hop to hop. Pure. */
import type { ExchangeDetail } from '../../src/inspector/exchange-view.ts';

/** One phase. */
export interface Phase {
  readonly name: string;
  readonly tone: 'connect' | 'send' | 'wait' | 'receive';
  readonly ms: number;
  readonly hint: string;
}

/** What the phases are made from. */
export type TimedExchange = Pick<ExchangeDetail, 'times' | 'isReused' | 'durationMs' | 'protocol' | 'status'>;

/** Returns the phases that took place. They add up to the whole time. */
export function phasesOf({ times, isReused, durationMs, protocol, status }: TimedExchange): readonly Phase[] {
  const connectedMs = times.connectedMs ?? durationMs;
  const headMs = Math.max(connectedMs, times.headMs ?? durationMs);
  const sentMs = Math.min(headMs, Math.max(connectedMs, times.requestEndMs ?? connectedMs));
  const phases: readonly Phase[] = [
    {
      name: isReused ? 'Kept connection' : 'Connect',
      tone: 'connect',
      ms: connectedMs,
      hint: 'until a connection to the service was there',
    },
    { name: 'Request', tone: 'send', ms: sentMs - connectedMs, hint: 'until the service had the whole request' },
    { name: 'Service', tone: 'wait', ms: headMs - sentMs, hint: 'until the service began to answer' },
    {
      name: protocol === undefined ? 'Response' : 'Connection open',
      tone: 'receive',
      ms: Math.max(0, durationMs - headMs),
      hint: 'until everything had come',
    },
  ];
  return phases.filter(({ tone, ms }) => ms > 0 || (tone === 'receive' && status !== undefined));
}
