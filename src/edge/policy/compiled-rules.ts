/**
 * A policy made ready for use: what can be looked up or built once is not done for each request.
 */
import { createHeaderEdit, type HeaderEdit } from '../../http/header-rules.ts';
import { createNetworkTest } from '../../http/ip-network.ts';
import { CrossOriginGate } from './cors.ts';
import type { EffectivePolicy } from './effective-policy.ts';

/** A policy made ready for use. */
export interface Rules {
  readonly policy: EffectivePolicy;
  /** Undefined admits every address. */
  readonly isAddressAllowed: ((address: string) => boolean) | undefined;
  readonly origins: CrossOriginGate | undefined;
  readonly editRequest: HeaderEdit | undefined;
  readonly editResponse: HeaderEdit | undefined;
  readonly maxBodyBytes: number;
  readonly failureStatuses: ReadonlySet<number>;
}

/** Makes a policy ready for use. */
export function compileRules(policy: EffectivePolicy): Rules {
  const { allowedOrigins, cors } = policy;
  return {
    policy,
    isAddressAllowed: addressTest(policy),
    origins: allowedOrigins.length === 0 && cors === undefined ? undefined : new CrossOriginGate(allowedOrigins, cors),
    editRequest: allEdits(policy.requestHeaders),
    editResponse: allEdits(policy.responseHeaders),
    maxBodyBytes: policy.maxBodyBytes ?? Number.POSITIVE_INFINITY,
    failureStatuses: new Set(policy.breaker?.statuses),
  };
}

function addressTest({ allowAddresses, denyAddresses }: EffectivePolicy): Rules['isAddressAllowed'] {
  if (allowAddresses.length === 0 && denyAddresses.length === 0) return undefined;
  const allowed = allowAddresses.map(createNetworkTest);
  const isDenied = createNetworkTest(denyAddresses);
  return (address) => allowed.every((isIn) => isIn(address)) && !isDenied(address);
}

function allEdits(rules: EffectivePolicy['requestHeaders']): HeaderEdit | undefined {
  const edits = rules.map(createHeaderEdit).filter((edit) => edit !== undefined);
  if (edits.length === 0) return undefined;
  return (fields) => edits.reduce((edited, edit) => edit(edited), fields);
}
