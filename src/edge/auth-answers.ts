/**
 * Checks what authentication providers answer. They need not be written in TypeScript, and a word that nobody knows must
 * never mean yes.
 */
import type { AuthDecision, VisitorDecision } from '../extension/auth-provider.ts';

/** Returns a decision about an agent as it is. Throws for one that breaks the contract. */
export function checkedAgentDecision(decision: AuthDecision): AuthDecision {
  const { kind } = objectOf(decision);
  if (kind === 'deny' || kind === 'unknown') return decision;
  if (kind !== 'allow') throw new Error(`its decision is ${String(kind)}`);
  const { principal, endpoints, expiresAt } = objectOf(decision);
  if (typeof principal !== 'string' || principal === '') throw new Error('it allows without naming a principal');
  if (!Array.isArray(endpoints) || !endpoints.every((pattern) => typeof pattern === 'string')) {
    throw new Error('it allows without a list of endpoints');
  }
  const isTime = expiresAt instanceof Date && !Number.isNaN(expiresAt.getTime());
  if (expiresAt !== undefined && !isTime) throw new Error('it allows until a time that is none');
  return decision;
}

/** Returns a decision about a visitor as it is. Throws for one that breaks the contract. */
export function checkedVisitorDecision(decision: VisitorDecision): VisitorDecision {
  const { kind } = objectOf(decision);
  if (kind === 'allow' || kind === 'deny' || kind === 'unknown') return decision;
  throw new Error(`its decision is ${String(kind)}`);
}

/** Returns whether a principal may still stay. Throws for anything but a plain yes or no, such as a promise of it. */
export function checkedYesOrNo(answer: boolean): boolean {
  if (typeof answer !== 'boolean') throw new Error(`its isStillAllowed() returns ${typeof answer}`);
  return answer;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  throw new Error(`its decision is ${value === null ? 'null' : typeof value}`);
}
