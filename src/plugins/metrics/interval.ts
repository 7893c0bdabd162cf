/** How often exporters that push do so. */
import { duration } from '../duration.ts';

const shortestMs = 100;
const longestMs = 86_400_000;

/** An option for the time between exports, in milliseconds once read. @param usual The default, such as `1m`. */
export function intervalOption(usual: string) {
  return duration
    .refine((ms) => ms >= shortestMs && ms <= longestMs, 'is not between 100ms and 24h')
    .prefault(usual)
    .describe(`Time between exports, from 100ms to 24h (default ${usual}).`);
}
