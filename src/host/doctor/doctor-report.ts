/**
 * Shows what the doctor finds: to people as a list on stdout that fills in, check by check; to programs as events.
 *
 * Nothing that was seen is printed as it is: it may come from the network or from a file.
 */
import { Chalk, type ChalkInstance, default as chalkStdout } from 'chalk';
import { checks } from '../../doctor/catalogue.ts';
import type { CheckResult, CheckStatus } from '../../doctor/check.ts';
import { type Output, writeEvent } from '../terminal/output.ts';
import { told } from '../terminal/printable.ts';
import { columns } from '../terminal/text-layout.ts';
import type { WaitingLine } from '../terminal/waiting-line.ts';
import type { CheckCounts } from './doctor-host.ts';

/** What is told at the end. */
export interface DoctorEnd {
  readonly counts: CheckCounts;
  readonly results: readonly CheckResult[];
  /** Path of the bundle; undefined when none was wanted. */
  readonly bundle: string | undefined;
  /** Whether there is neither an edge nor an agent to look at. */
  readonly isBare: boolean;
}

/** Where findings go. */
export interface DoctorReport {
  /** Shows what is waited for, until it has come. */
  wait(title: string, result: Promise<unknown>): Promise<void>;
  show(result: CheckResult): void;
  end(end: DoctorEnd): void;
}

/** Width of lines where no terminal says another one, and the widest that is used, in characters. */
const defaultWidth = 80;
const maxWidth = 110;
/** Icon and title, with the spaces around them, in characters. */
const titleWidth = 21;
const indent = 4;

const icons: Readonly<Record<CheckStatus, string>> = { ok: '✔', warning: '⚠', failed: '✖', skipped: '↓' };

/** Returns the report for programs or for people. */
export async function createDoctorReport(output: Output, json: boolean): Promise<DoctorReport> {
  if (json) return jsonReport(output);
  const isLive = output.isInteractive && process.stdout.isTTY === true;
  if (!isLive) return new ListReport((line) => output.out(line), defaultWidth, undefined);
  const { WaitingLine } = await import('../terminal/waiting-line.ts');
  const width = Math.min(process.stdout.columns ?? defaultWidth, maxWidth);
  // Directly, so that lines and the line that is redrawn keep their order.
  return new ListReport((line) => void process.stdout.write(`${line}\n`), width, new WaitingLine(process.stdout));
}

/** Returns the lines of one check, without colour. Pure. */
export function checkLines(result: CheckResult, width: number): string[] {
  const { status, saw, why, next, fixed, id } = result;
  const layout = { indent, first: titleWidth, width };
  const [first = '', ...rest] = columns(checks[id].title, told(saw), layout);
  const more = [
    ...(fixed === undefined ? [] : [`Fixed: ${told(fixed)}`]),
    ...(next === undefined ? [] : [`Why: ${why}`, `Next: ${told(next)}`]),
  ];
  const lines = more.flatMap((text) => columns('', text, layout));
  return [`  ${icons[status]} ${first.slice(indent)}`, ...rest, ...lines];
}

function jsonReport(output: Output): DoctorReport {
  return {
    wait: async () => {},
    show: ({ id, status, saw, why, next, code, blockedBy, fixed, durationMs }) => {
      const shown = {
        check: id,
        status,
        saw: told(saw),
        why,
        next: next === undefined ? undefined : told(next),
        fixed: fixed === undefined ? undefined : told(fixed),
      };
      writeEvent(output, 'check', { ...shown, code, blockedBy, durationMs });
    },
    end: ({ counts, bundle }) => writeEvent(output, 'doctor', { healthy: counts.failed === 0, ...counts, bundle }),
  };
}

class ListReport implements DoctorReport {
  readonly #write: (line: string) => void;
  readonly #width: number;
  readonly #waiting: WaitingLine | undefined;
  readonly #chalk = new Chalk({ level: chalkStdout.level });
  #group = '';

  constructor(write: (line: string) => void, width: number, waiting: WaitingLine | undefined) {
    this.#write = write;
    this.#width = width;
    this.#waiting = waiting;
  }

  async wait(title: string, result: Promise<unknown>): Promise<void> {
    await this.#waiting?.until(title, result);
  }

  show(result: CheckResult): void {
    const { group } = checks[result.id];
    if (group !== this.#group) {
      if (this.#group !== '') this.#write('');
      this.#write(this.#chalk.bold(group));
      this.#group = group;
    }
    const [first = '', ...rest] = checkLines(result, this.#width);
    const icon = icons[result.status];
    this.#write(first.replace(icon, this.#colour(result.status)(icon)));
    for (const line of rest) this.#write(line);
  }

  end({ counts, results, bundle, isBare }: DoctorEnd): void {
    const lines = ['', summary(counts)];
    const worst = results.find(({ status }) => status === 'failed');
    if (worst !== undefined) lines.push(`\`giraffe explain ${worst.id}\` tells more about that check.`);
    if (isBare) {
      lines.push(
        'There is no edge and no agent here yet. `giraffe server start` makes an edge;',
        '`giraffe doctor TARGET --server HOST` looks at an agent and its way to one.',
      );
    }
    if (bundle !== undefined) lines.push(`The report is in ${told(bundle)}; look through it before you send it.`);
    for (const line of lines) this.#write(line);
  }

  #colour(status: CheckStatus): ChalkInstance {
    const { green, yellow, red, dim } = this.#chalk;
    return { ok: green, warning: yellow, failed: red, skipped: dim }[status];
  }
}

/** Returns the counts in words, without those that are 0. */
export function summary({ ok, warning, failed, skipped }: CheckCounts): string {
  const parts = [
    `${ok} ok`,
    ...(warning === 0 ? [] : [`${warning} warning${warning === 1 ? '' : 's'}`]),
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(skipped === 0 ? [] : [`${skipped} skipped`]),
  ];
  return `${failed === 0 ? 'Nothing failed' : 'Something is wrong'}: ${parts.join(', ')}.`;
}
