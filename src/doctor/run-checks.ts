/**
 * Runs checks: each as soon as those it depends on have ended, none longer than its time, and none that another one's
 * failure made meaningless.
 */
import { performance } from 'node:perf_hooks';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { type CheckEntry, type CheckId, checks } from './catalogue.ts';
import { type Check, type CheckPlan, type CheckResult, type Finding, failed, skipped } from './check.ts';

/** Time for one check, in milliseconds: more than any answer from this planet takes. */
const checkMs = 3000;
/** Time for all checks together, in milliseconds. A check that would still wait then has failed. */
const totalMs = 9000;

/** How checks are run. */
export interface RunOptions {
  /** Whether what is safe to mend is mended. */
  readonly fix: boolean;
  /** Time for one check and for all, in milliseconds. Default 3,000 and 9,000. */
  readonly limits?: { readonly checkMs: number; readonly totalMs: number };
}

/** A check that is under way. */
export interface RunningCheck {
  readonly id: CheckId;
  readonly title: string;
  /** Never rejects. */
  readonly result: Promise<CheckResult>;
}

/** Starts all checks of a plan and returns them in its order. */
export function startChecks(plan: CheckPlan, { fix, limits = { checkMs, totalMs } }: RunOptions): RunningCheck[] {
  const running = new Map<CheckId, Promise<Outcome>>();
  const deadlineMs = performance.now() + limits.totalMs;
  const begin = (id: CheckId): Promise<Outcome> => {
    const known = running.get(id);
    if (known !== undefined) return known;
    const started = run(id);
    running.set(id, started);
    return started;
  };
  const run = async (id: CheckId): Promise<Outcome> => {
    // The next turn, so that `running` knows this one before it looks for others.
    await Promise.resolve();
    const { needs, needsOneOf, after }: CheckEntry = checks[id];
    const outcomes = new Map<string, Outcome>();
    for (const other of [...needs, ...needsOneOf, ...after] as CheckId[]) {
      if (plan.has(other)) outcomes.set(other, await begin(other));
    }
    const blocker = blockerOf(needs, needsOneOf, outcomes);
    if (blocker !== undefined) return blockedOutcome(blocker);
    const limitMs = Math.min(limits.checkMs, deadlineMs - performance.now());
    return look(plan.get(id) as Check, limitMs, fix);
  };
  return [...plan.keys()].map((id) => ({
    id,
    title: checks[id].title,
    result: begin(id).then((outcome) => resultOf(id, outcome)),
  }));
}

interface Outcome {
  readonly finding: Finding;
  readonly durationMs: number;
  readonly fixed?: string | undefined;
  /** The check at the root of a skip. */
  readonly blockedBy?: CheckId | undefined;
}

/** Returns the check that makes another one meaningless; undefined when none does. */
function blockerOf(
  needs: readonly string[],
  needsOneOf: readonly string[],
  outcomes: ReadonlyMap<string, Outcome>,
): CheckId | undefined {
  const blocking = (id: string): boolean => {
    const finding = outcomes.get(id)?.finding;
    return finding !== undefined && (finding.blocks ?? (finding.status === 'failed' || finding.status === 'skipped'));
  };
  const present = needsOneOf.filter((id) => outcomes.has(id));
  const lost = present.length > 0 && present.every(blocking) ? present[0] : undefined;
  const direct = needs.find(blocking) ?? lost;
  if (direct === undefined) return undefined;
  return outcomes.get(direct)?.blockedBy ?? (direct as CheckId);
}

function blockedOutcome(blocker: CheckId): Outcome {
  const { title } = checks[blocker];
  return { finding: skipped(`because of ${title} above`), durationMs: 0, blockedBy: blocker };
}

async function look(check: Check, limitMs: number, fix: boolean): Promise<Outcome> {
  const startedMs = performance.now();
  let finding = await attempt(check, limitMs);
  let fixed: string | undefined;
  if (fix && finding.repair !== undefined) {
    try {
      fixed = await finding.repair();
      finding = await attempt(check, limitMs);
    } catch (error) {
      finding = { ...finding, saw: `${finding.saw}; it could not be fixed: ${GiraffeError.from(error).message}` };
    }
  }
  return { finding, fixed, durationMs: performance.now() - startedMs };
}

async function attempt(check: Check, limitMs: number): Promise<Finding> {
  const controller = new AbortController();
  const late = new GiraffeError('GIR_ERR_HANDSHAKE_TIMEOUT', `no answer within ${(limitMs / 1000).toFixed(1)} s`);
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => {
        controller.abort(late);
        // A check that hears the signal tells more; one that does not must not hang.
        setImmediate(() => reject(late));
      },
      Math.max(0, limitMs),
    );
  });
  try {
    return await Promise.race([check(controller.signal), end]);
  } catch (error) {
    return failureOf(error, late);
  } finally {
    clearTimeout(timer);
  }
}

function failureOf(error: unknown, late: GiraffeError): Finding {
  if (error === late) return failed(late.message);
  if (error instanceof GiraffeError) return failed(error.message, undefined, error.code);
  const detail = error instanceof Error ? error.message : String(error);
  return failed(
    `the check itself failed: ${detail}`,
    'Please report this as a bug, with a --bundle.',
    'GIR_ERR_INTERNAL',
  );
}

function resultOf(id: CheckId, { finding, durationMs, fixed, blockedBy }: Outcome): CheckResult {
  const { why, next } = checks[id];
  const { status, saw, code } = finding;
  const hasNext = status === 'warning' || status === 'failed';
  return {
    id,
    status,
    saw,
    why,
    next: hasNext ? (finding.next ?? next) : undefined,
    code,
    blockedBy,
    fixed,
    durationMs: Math.round(durationMs),
  };
}
