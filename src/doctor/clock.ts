/** Compares two clocks by what an HTTP response says about the other one. Pure. */
import { type Finding, failed, ok, skipped, warning } from './check.ts';

/** Difference up to which nobody needs to care, in milliseconds: what the Date field cannot tell, and some more. */
const okMs = 5_000;
/** Difference from which tokens with the usual leeway are refused, in milliseconds. */
const failedMs = 60_000;

/** When a question was asked and answered, by the clock here, and the time that the answer told. */
export interface ClockSample {
  /** Milliseconds since 1970. */
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Value of Date; undefined when the answer had none. */
  readonly date: string | undefined;
}

/** Judges the difference of two clocks. */
export function clockFinding({ askedAt, answeredAt, date }: ClockSample): Finding {
  const told = Date.parse(date ?? '');
  if (Number.isNaN(told)) return skipped('the edge does not tell its time', false);
  // Date has whole seconds: the moment it names was on average half a second later.
  const differenceMs = told + 500 - (askedAt + answeredAt) / 2;
  const size = Math.abs(differenceMs);
  if (size <= okMs) return ok('agrees with that of the edge');
  const saw = `${spanText(size)} ${differenceMs > 0 ? 'behind' : 'ahead of'} the clock of the edge`;
  return size < failedMs ? warning(saw) : failed(saw);
}

function spanText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
