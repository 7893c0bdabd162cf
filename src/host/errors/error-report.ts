/**
 * Decides what a command says about the error that ended it, and with which status it exits.
 *
 * Quotes neither the command line nor a token: oclif's own messages do, so they
 * are told again in our words.
 */
import { Errors } from '@oclif/core';
import { ConfigError } from '../../config/config-error.ts';
import { editDistance, nearestFirst } from '../../config/nearest.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { HostContext } from '../oclif/host-context.ts';
import { writeEvent } from '../terminal/output.ts';
import { redacted, told } from '../terminal/printable.ts';
import { filled } from '../terminal/text-layout.ts';

/** What is told about an error. Everything is fit to be printed. */
export interface ErrorReport {
  readonly code: string;
  /** What happened. */
  readonly message: string;
  /** Each thing that is wrong, when there are several. */
  readonly problems?: readonly string[];
  /** The next step. */
  readonly fix: string;
  readonly exit: number;
  /** For developers only. */
  readonly stack: string;
}

/** The command an error came from. */
export interface FailedCommand {
  /** As it is typed, for example `giraffe server start`. */
  readonly name: string;
  /** Its flags, without dashes. */
  readonly flags: readonly string[];
  /** The other commands of the program, in the same form. */
  readonly others: readonly Omit<FailedCommand, 'others'>[];
}

/** Writes an error: for programs as an event, for people as what happened and the next step. */
export function writeError(
  { output, json }: Pick<HostContext, 'output' | 'json'>,
  { code, message, problems, fix }: Pick<ErrorReport, 'code' | 'message' | 'problems' | 'fix'>,
): void {
  if (json) return writeEvent(output, 'error', { code, message, problems, fix });
  for (const line of labelled('Error: ', `${message} (${code})`, output.width)) output.err(line);
  for (const problem of problems ?? []) for (const line of labelled('  - ', problem, output.width)) output.err(line);
  for (const line of labelled('Next:  ', fix, output.width)) output.err(line);
}

/** Breaks a text at words, where a terminal would break it anywhere; what is no terminal gets one line. */
function labelled(label: string, text: string, width: number | undefined): string[] {
  if (width === undefined) return [label + text];
  const [first, ...rest] = filled(text, width - label.length);
  return [`${label}${first}`, ...rest.map((line) => `${' '.repeat(label.length)}${line}`)];
}

/** Returns what to tell about an error. */
export function errorReport(error: unknown, command: FailedCommand): ErrorReport {
  const known = error instanceof GiraffeError ? error : usageError(error, command);
  const stack = redacted(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (known === undefined) return bugReport(error, stack);
  const fix = nextStep(known, command);
  const report = { code: known.code, message: told(known.message.trim()), fix, exit: known.entry.exit, stack };
  if (!(known instanceof ConfigError) || known.problems.length < 2) return report;
  return {
    ...report,
    message: `${known.problems.length} things are wrong`,
    problems: known.problems.map((problem) => told(problem.trim())),
  };
}

/** Returns what to tell about the error of a command that is not ours: what it says itself, and its exit status. */
export function foreignErrorReport(error: Error, command: FailedCommand): ErrorReport {
  // What oclif's parser throws remembers what it parsed.
  if ('parse' in error) return errorReport(error, command);
  const [message] = error.message.split('\n', 1);
  const { exit, ...report } = errorReport(new GiraffeError('GIR_ERR_PLUGIN_COMMAND', message), command);
  const { oclif } = error as { readonly oclif?: { readonly exit?: number } };
  return { ...report, exit: oclif?.exit || exit, stack: redacted(error.stack ?? error.message) };
}

/** Flags of which one is there where `--help` lists the settings of an edge or an agent. */
const settingFlags = ['server', 'grpc-port', 'admin-token'];

/** What the table says for all commands is said of this one. */
function nextStep({ code, fix }: GiraffeError, { name, flags }: FailedCommand): string {
  switch (code) {
    case 'GIR_ERR_USAGE':
      return `Run \`${name} --help\`.`;
    case 'GIR_ERR_CONFIG':
      return settingFlags.some((flag) => flags.includes(flag))
        ? `Set it right and try again; \`${name} --help\` tells what each setting is.`
        : 'Set it right and try again; `giraffe config schema` tells what a configuration file may hold.';
    case 'GIR_ERR_PLUGIN_COMMAND':
      return `\`${name} --help\` tells what it expects; DEBUG=giraffe adds the stack.`;
    default:
      return fix;
  }
}

function bugReport(error: unknown, stack: string): ErrorReport {
  const detail = error instanceof Error ? error.message : String(error);
  return {
    code: 'GIR_ERR_INTERNAL',
    message: `this is a bug in giraffe: ${told(detail.trim())}`,
    fix: 'Please report it; DEBUG=giraffe adds the stack.',
    exit: 1,
    stack,
  };
}

/** Returns oclif's complaint about the command line in our words; undefined when it is something else. */
function usageError(error: unknown, command: FailedCommand): GiraffeError | undefined {
  if (!(error instanceof Errors.CLIError)) return undefined;
  return new GiraffeError('GIR_ERR_USAGE', usageMessage(error, command), { cause: error });
}

function usageMessage(error: Error, command: FailedCommand): string {
  if (hasNames(error, 'NonExistentFlagsError', 'flags')) {
    return error.flags.map((flag) => unknownFlag(String(flag), command)).join('; ');
  }
  if (hasNames(error, 'UnexpectedArgsError', 'args')) {
    const { length } = error.args;
    return length === 1 ? 'there is one argument too many' : `there are ${length} arguments too many`;
  }
  if (hasNames(error, 'RequiredArgsError', 'args')) return error.args.map(missingArgument).join('; ');
  // Only the first line, which tells what is wrong, and no values: one of them may be a token.
  const [line = ''] = error.message.split('\n');
  return line.replace(/(--[\w-]+)=\S*/g, '$1');
}

function unknownFlag(flag: string, command: FailedCommand): string {
  const [name = ''] = flag.split('=');
  const others = command.others.filter(({ flags }) => flags.includes(name.replace(/^--/, '')));
  if (others.length > 0) return `there is no flag ${name} here; it is one of ${namesOf(others)}`;
  const typed = name.replace(/^-+/, '');
  const [nearest] = nearestFirst(typed, command.flags);
  // With more than every other letter changed, it is another word.
  const isMeant = nearest !== undefined && editDistance(typed, nearest) <= typed.length / 2;
  return `there is no flag ${name}${isMeant ? `; the nearest is --${nearest}` : ''}`;
}

function missingArgument(arg: unknown): string {
  const { name = '', description, options } = arg as { name?: string; description?: string; options?: string[] };
  const meaning = options === undefined ? description?.replace(/\.$/, '') : `one of ${options.join(', ')}`;
  return `${name.toUpperCase()} is missing${meaning === undefined ? '' : `: ${meaning.charAt(0).toLowerCase()}${meaning.slice(1)}`}`;
}

/** At most three: more of them help nobody. */
function namesOf(commands: FailedCommand['others']): string {
  return commands
    .slice(0, 3)
    .map(({ name }) => `\`${name}\``)
    .join(', ');
}

/** oclif's parser errors are not exported, so their class is known by its name. */
function hasNames<Key extends 'flags' | 'args'>(
  error: Error,
  className: string,
  key: Key,
): error is Error & Record<Key, readonly unknown[]> {
  return error.constructor.name === className && key in error && Array.isArray((error as never)[key]);
}
