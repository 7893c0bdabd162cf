/** What a check of the doctor is given, and what comes out of it. */
import type { ErrorCode } from '../errors/codes.ts';
import type { CheckId } from './catalogue.ts';

/** How a check went. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** What a check saw. */
export interface Finding {
  readonly status: CheckStatus;
  /** What was seen, or why it was skipped: a few words, or one sentence. */
  readonly saw: string;
  /** The next step, when it is another one than the catalogue's. */
  readonly next?: string | undefined;
  /** The error that stands behind it. */
  readonly code?: ErrorCode | undefined;
  /** Whether checks that need this one are skipped. Default: when it failed or was skipped. */
  readonly blocks?: boolean;
  /** Mends what was found, and tells in a sentence what it changed. Only what is safe has one. */
  readonly repair?: (() => Promise<string>) | undefined;
}

/**
 * Looks at one thing. What it throws is a failure: with its code when it is a GiraffeError.
 *
 * @param signal Aborted when its time is over; its reason then is the error to throw.
 */
export type Check = (signal: AbortSignal) => Promise<Finding>;

/** The checks to run. Those that are not there are not part of the report. */
export type CheckPlan = ReadonlyMap<CheckId, Check>;

/** The outcome of one check. */
export interface CheckResult {
  readonly id: CheckId;
  readonly status: CheckStatus;
  readonly saw: string;
  readonly why: string;
  /** The next step of a warning or failure. */
  readonly next: string | undefined;
  readonly code: ErrorCode | undefined;
  /** The check whose failure made this one meaningless. */
  readonly blockedBy: CheckId | undefined;
  /** What was mended before the outcome. */
  readonly fixed: string | undefined;
  readonly durationMs: number;
}

/** A finding that nothing is wrong. */
export function ok(saw: string): Finding {
  return { status: 'ok', saw };
}

/** A finding that something may be wrong. */
export function warning(saw: string, next?: string): Finding {
  return { status: 'warning', saw, next };
}

/** A finding that something is wrong. */
export function failed(saw: string, next?: string, code?: ErrorCode): Finding {
  return { status: 'failed', saw, next, code };
}

/** A finding that there was nothing to look at. @param blocks Whether checks that need it are skipped too. */
export function skipped(saw: string, blocks = true): Finding {
  return { status: 'skipped', saw, blocks };
}
