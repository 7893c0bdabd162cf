/** What the built-in exporters that push have in common: the option `interval`, and that it is what they run by. */
import type * as z from 'zod';
import {
  defineExtension,
  type Extension,
  type ExtensionContext,
  extensionApiVersion,
  type MetricsExporter,
} from '../../extension/index.ts';
import { duration } from '../duration.ts';

const shortestMs = 100;
const longestMs = 86_400_000;

/** Sends a snapshot somewhere. */
export type Export = Extract<MetricsExporter, { mode: 'push' }>['export'];

/** An exporter in words, and how its sending is made. */
interface PushExporter<Options extends z.ZodType<{ readonly interval: number }>> {
  readonly name: string;
  readonly summary: string;
  /** With {@link intervalOption} as `interval`. */
  readonly options: Options;
  start(options: z.output<Options>, context: ExtensionContext): Export;
}

/** An option for the time between exports, in milliseconds once read. @param usual The default, such as `1m`. */
export function intervalOption(usual: string) {
  return duration
    .refine((ms) => ms >= shortestMs && ms <= longestMs, 'is not between 100ms and 24h')
    .prefault(usual)
    .describe(`Time between exports, from 100ms to 24h (default ${usual}).`);
}

/** Returns the exporter as an extension. */
export function definePushExporter<Options extends z.ZodType<{ readonly interval: number }>>({
  name,
  summary,
  options,
  start,
}: PushExporter<Options>): Extension<'metrics-exporter', Options> {
  return defineExtension({
    apiVersion: extensionApiVersion,
    kind: 'metrics-exporter',
    name,
    summary,
    options,
    create: async (chosen, context) => ({
      mode: 'push',
      intervalMs: chosen.interval,
      export: start(chosen, context),
    }),
  });
}
