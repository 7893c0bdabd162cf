/** Runs the doctor from settings to exit status: what to look at, the report, the bundle. */
import { agentSettings } from '../../config/agent-settings.ts';
import { ConfigError } from '../../config/config-error.ts';
import { type CheckResult, type CheckStatus, failed, ok } from '../../doctor/check.ts';
import { type Examination, examine } from '../../doctor/doctor.ts';
import type { DoctorSubject } from '../../doctor/subject.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { defaultStateDir } from '../../state/state-folder.ts';
import { stdinReader } from '../credentials/stdin-text.ts';
import { registryFor, selections } from '../extensions/extension-selection.ts';
import type { HostContext } from '../oclif/host-context.ts';
import { type ProgramInput, readAgentConfig, readEdgeConfig } from '../settings/program-config.ts';
import { prepareBundle } from './doctor-bundle.ts';
import { createDoctorReport, type DoctorReport } from './doctor-report.ts';
import { type DoctorConfig, doctorSubject, type SubjectParts } from './doctor-subject.ts';

/** What the doctor is run with. */
export interface DoctorContext extends HostContext {
  /** TARGET as it was given. */
  readonly target: string | undefined;
  readonly fix: boolean;
  /** File for the bundle; undefined for none. */
  readonly bundle: string | undefined;
}

/** How many checks went how. */
export type CheckCounts = Readonly<Record<CheckStatus, number>>;

/**
 * Looks at everything there is, and returns the exit status: 0 when nothing failed, else 1.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE for a command line that is not valid, or a bundle that cannot be written.
 */
export async function runDoctor(context: DoctorContext): Promise<number> {
  const { fix, json, output } = context;
  const bundle = context.bundle === undefined ? undefined : await prepareBundle(context.bundle);
  const read = await readSubject(context);
  const report = await createDoctorReport(output, json);
  await using examination = examine(subjectOf(context, read), { fix });
  const results = await tell(examination, report);
  const counts = countsOf(results);
  const path = await bundle?.write({ context, results, parts: read.parts });
  const isBare = read.config !== undefined && read.parts.edge?.exists !== true && read.parts.way === undefined;
  report.end({ counts, results, bundle: path, isBare });
  return counts.failed === 0 ? 0 : 1;
}

interface ReadSubject {
  readonly parts: SubjectParts;
  readonly config: DoctorConfig | undefined;
  /** Why there is no configuration. */
  readonly problem: GiraffeError | undefined;
}

/** Mistakes on the command line end the doctor; mistakes anywhere else are for it to tell. */
async function readSubject({ input, target }: DoctorContext): Promise<ReadSubject> {
  try {
    const config = { edge: await readEdgeConfig(input), agent: await readAgentConfig(agentInput(input)) };
    return { config, parts: await doctorSubject(config, input, target, stdinReader()), problem: undefined };
  } catch (error) {
    if (!(error instanceof GiraffeError) || error.code === 'GIR_ERR_USAGE') throw error;
    const state = { path: defaultStateDir(input.environment), isNeeded: false };
    return { config: undefined, parts: { state, edge: undefined, way: undefined, services: [] }, problem: error };
  }
}

/** An edge may pick any port for the TCP tunnel; an agent that is told so knows nothing. */
function agentInput({ flags, environment }: ProgramInput): ProgramInput {
  const { flag, env = '' } = agentSettings.tunnelPort;
  const isAny = (value: unknown): boolean => String(value).trim() === '0';
  return {
    flags: isAny(flags[flag]) ? { ...flags, [flag]: undefined } : flags,
    environment: isAny(environment[env]) ? { ...environment, [env]: undefined } : environment,
  };
}

function subjectOf({ plugins, input }: DoctorContext, { parts, config, problem }: ReadSubject): DoctorSubject {
  return {
    nodeVersion: process.versions.node,
    now: Date.now,
    configuration: async () => {
      if (problem !== undefined) return failed(problemsText(problem), undefined, problem.code);
      const { path } = config?.edge.file ?? {};
      return ok(path === undefined ? 'no file: defaults, flags and variables' : path);
    },
    extensions: async () => {
      const { file } = config?.edge ?? (await readEdgeConfig(input));
      const registry = await registryFor(plugins, file);
      const selected = selections(file);
      for (const { kind, name, options } of selected) registry.check(kind, name, options);
      return ok(selected.map(({ name }) => name).join(', '));
    },
    ...parts,
  };
}

function problemsText(problem: GiraffeError): string {
  return problem instanceof ConfigError ? problem.problems.join('; ') : problem.message;
}

async function tell({ checks }: Examination, report: DoctorReport): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const { title, result } of checks) {
    await report.wait(title, result);
    const outcome = await result;
    report.show(outcome);
    results.push(outcome);
  }
  return results;
}

function countsOf(results: readonly CheckResult[]): CheckCounts {
  const count = (status: CheckStatus): number => results.filter((result) => result.status === status).length;
  return { ok: count('ok'), warning: count('warning'), failed: count('failed'), skipped: count('skipped') };
}
