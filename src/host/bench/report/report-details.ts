/** What a reader of a report needs to judge its figures: load, machine, and what the generator cost. Pure. */
import { generatorLimit } from '../../../load/generator-limit.ts';
import { bytesText, countText, durationText, percentText } from '../../../load/quantity.ts';
import type { BenchResult } from '../bench-result.ts';
import type { WayResult } from '../measure-ways.ts';
import { escaped } from './markup.ts';

/** Returns a list of terms. */
export function reportDetails(result: BenchResult): string {
  const { machine, results, calibration } = result;
  const terms: readonly (readonly [string, string])[] = [
    ...loadTerms(result),
    ['Machine', `${machine.cpu}, ${machine.cores} cores, ${bytesText(machine.memoryBytes)}`],
    ['System', `${machine.os}, Node ${machine.node}`],
    ...results.flatMap((way) => generatorTerm(way, 1 < results.length)),
    ...(calibration === undefined
      ? []
      : [
          [
            'Calibrated',
            `${Math.round(calibration.cpuMicrosPerRequest)} µs per request against an origin that answers at once`,
          ] as const,
        ]),
    ...results.flatMap((way) => processTerm(way, 1 < results.length)),
  ];
  return `<dl>${terms.map(([term, text]) => `<dt>${escaped(term)}</dt><dd>${escaped(text)}</dd>`).join('')}</dl>`;
}

function loadTerms({ plan }: BenchResult): [string, string][] {
  const { load, rounds, isComparison } = plan;
  const loop =
    load.rate === undefined
      ? 'closed loop: each connection sends its next request when it has the answer'
      : `open loop: ${countText(load.rate)} requests per second, latencies from the intended start`;
  const lengths = [
    ...(load.durationMs === undefined ? [] : [durationText(load.durationMs)]),
    ...(load.maxRequests === undefined ? [] : [`${countText(load.maxRequests)} requests`]),
  ];
  const bodies = [
    ...(load.sentBytes === 0 ? [] : [`${bytesText(load.sentBytes)} sent`]),
    ...(load.answerBytes === undefined || load.isWebSocket ? [] : [`${bytesText(load.answerBytes)} answered`]),
  ];
  return [
    ['Load', `${loop}; ${load.keepAlive ? 'connections are kept' : 'a connection for each request'}`],
    ['Length', `${lengths.join(' or ')}${isComparison ? ` for each way, in ${rounds} rounds` : ''}`],
    ...(bodies.length === 0 ? [] : [['Bodies', bodies.join(', ')] as [string, string]]),
    ['Time limit', `${durationText(load.timeoutMs)} per request`],
    ...(load.warmUpMs === 0 ? [] : [['Warm-up', durationText(load.warmUpMs)] as [string, string]]),
  ];
}

function generatorTerm({ name, generator }: WayResult, isNamed: boolean): [string, string][] {
  if (generator === undefined) return [];
  const limits = {
    itself: '; it used up its core, so what it loaded may be faster',
    machine: '; it never got to rest on this busy machine',
  };
  const limit = generatorLimit(generator);
  const cost = `${Math.round(generator.cpuMicrosPerRequest)} µs of processor time per request, ${percentText(generator.cores)} of a core`;
  return [[isNamed ? `Generator, ${name}` : 'Generator', `${cost}${limit === undefined ? '' : limits[limit]}`]];
}

function processTerm({ name, processes }: WayResult, isNamed: boolean): [string, string][] {
  if (processes.length === 0) return [];
  const costs = processes.map(
    (each) => `${each.name} ${Math.round(each.cpuMicrosPerRequest)} µs per request, ${bytesText(each.memoryBytes)}`,
  );
  return [[isNamed ? `Cost, ${name}` : 'Cost', costs.join('; ')]];
}
