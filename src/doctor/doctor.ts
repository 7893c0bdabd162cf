/** Puts the checks of a subject together, runs them, and ends what they have opened. */
import { isIP } from 'node:net';
import { type CheckId, checkIds } from './catalogue.ts';
import { CertificateChecks } from './certificate-checks.ts';
import type { Check, CheckPlan } from './check.ts';
import { checkNode, checkStateFolder } from './machine-checks.ts';
import { PortChecks } from './port-checks.ts';
import { RoundTripChecks } from './round-trip-checks.ts';
import { type RunningCheck, type RunOptions, startChecks } from './run-checks.ts';
import { ServiceChecks } from './service-checks.ts';
import type { DoctorSubject } from './subject.ts';
import { WayChecks } from './way-checks.ts';

/** An examination that is under way. Disposing of it closes every connection of its own. */
export interface Examination extends AsyncDisposable {
  /** In the order of the report. */
  readonly checks: readonly RunningCheck[];
}

/** Begins to look at a subject. Changes nothing unless `options.fix` is set. */
export function examine(subject: DoctorSubject, options: RunOptions): Examination {
  const { state, edge, way, services } = subject;
  const now = (): number => subject.now();
  const wayChecks = way === undefined ? undefined : new WayChecks(way, now);
  const roundTrip = way === undefined || wayChecks === undefined ? undefined : new RoundTripChecks(way, wayChecks);
  const checks: [CheckId, Check][] = [
    ['node', async () => checkNode(subject.nodeVersion)],
    ['configuration', subject.configuration],
    ['extensions', subject.extensions],
  ];
  if (state !== undefined) checks.push(['state-folder', () => checkStateFolder(state)]);
  if (edge !== undefined) checks.push(...new PortChecks(edge).checks());
  if (edge?.exists) checks.push(...new CertificateChecks(edge, now).checks());
  if (wayChecks !== undefined) checks.push(...wayChecks.checks());
  if (services.length > 0) checks.push(...new ServiceChecks(services, exampleHost(way?.server.host)).checks());
  if (roundTrip !== undefined) checks.push(...roundTrip.checks());
  return {
    checks: startChecks(inOrder(checks), options),
    [Symbol.asyncDispose]: async () => {
      await roundTrip?.[Symbol.asyncDispose]();
      wayChecks?.close();
    },
  };
}

function inOrder(checks: readonly (readonly [CheckId, Check])[]): CheckPlan {
  const byId = new Map(checks);
  return new Map(
    checkIds.flatMap((id) => {
      const check = byId.get(id);
      return check === undefined ? [] : [[id, check] as const];
    }),
  );
}

/** A name that the edge might choose: its base domain is usually its own name. */
function exampleHost(server = 'localhost'): string {
  return `doctor.${isIP(server) === 0 ? server : 'localhost'}`;
}
