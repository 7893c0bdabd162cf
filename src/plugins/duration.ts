/**
 * Durations in the options of the built-in extensions.
 */
import * as z from 'zod';

const millisecondsPer: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds, from a text such as `250ms`, `30s`, `5m`, `1h` or `7d`. */
export const duration = z
  .string()
  .regex(/^[0-9]{1,9}(?:ms|s|m|h|d)$/, 'is not a duration such as 30s, 5m or 1h')
  .transform((text) => {
    const unit = text.replace(/^[0-9]+/, '');
    return Number.parseInt(text, 10) * (millisecondsPer[unit] ?? 0);
  });
