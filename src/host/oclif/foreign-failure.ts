/**
 * oclif's hook for the end of every command: says why one that is not ours failed, in the form of ours.
 *
 * Those are `giraffe help`, `giraffe plugins` and what plugins bring. Theirs is what went wrong and the exit status; a
 * command line that does not fit is told, and ends, as with our own commands.
 */
import { Errors, type Hook } from '@oclif/core';

/** Called by oclif. */
export const tellForeignFailure: Hook.Finally = async function tellFailure({ Command, argv, config, context, error }) {
  // Our own commands have told theirs, and exit by themselves.
  if (error === undefined || Command === undefined || error instanceof Errors.ExitError) return;
  const { readEnvironment } = await import('../../config/env.ts');
  const { foreignErrorReport, writeError } = await import('../errors/error-report.ts');
  const { processOutput } = await import('../terminal/output.ts');
  const environment = readEnvironment();
  const output = processOutput(environment);
  const nameOf = (id: string) => [config.bin, ...id.split(':')].join(' ');
  const report = foreignErrorReport(error, {
    name: nameOf(Command.id),
    flags: Object.keys(Command.flags),
    others: config.commands.map(({ id, flags }) => ({ name: nameOf(id), flags: Object.keys(flags) })),
  });
  writeError({ output, json: argv.includes('--json') }, report);
  if (environment['DEBUG']) output.err(report.stack);
  context.exit(report.exit);
};
