/**
 * Checks what extensions make, before it is used: plugins need not be written in TypeScript.
 */
import type { ExtensionInstances, ExtensionKind } from '../../extension/index.ts';

/** Longest time between exports, in milliseconds: what a timer can wait. */
const maxIntervalMs = 2 ** 31 - 1;

type Parts = Readonly<Record<string, unknown>>;

/** What an instance of each kind must have, in words, and whether it has. */
const demands: Readonly<Record<ExtensionKind, readonly [words: string, isMet: (instance: Parts) => boolean]>> = {
  'routing-strategy': ['select()', ({ select }) => isFunction(select)],
  'auth-provider': [
    'authenticateAgent() or authorizeVisitor()',
    ({ authenticateAgent, authorizeVisitor, isStillAllowed, clientCa }) =>
      (isFunction(authenticateAgent) || isFunction(authorizeVisitor)) &&
      [authenticateAgent, authorizeVisitor, isStillAllowed].every(
        (method) => method === undefined || isFunction(method),
      ) &&
      (clientCa === undefined || typeof clientCa === 'string'),
  ],
  'metrics-exporter': [
    'render() and contentType (mode pull), or export() and intervalMs (mode push)',
    ({ mode, render, contentType, export: send, intervalMs }) =>
      mode === 'pull'
        ? isFunction(render) && typeof contentType === 'string'
        : mode === 'push' && isFunction(send) && isInterval(intervalMs),
  ],
  'certificate-source': [
    'want() and certificateFor()',
    ({ want, certificateFor, challengeCertificateFor, challengeAnswerFor }) =>
      isFunction(want) &&
      isFunction(certificateFor) &&
      [challengeCertificateFor, challengeAnswerFor].every((method) => method === undefined || isFunction(method)),
  ],
};

/** Returns what `create` made as it is. Throws when it is no instance of its kind. */
export function checkedInstance<Kind extends ExtensionKind>(
  kind: Kind,
  instance: ExtensionInstances[Kind] & Partial<AsyncDisposable>,
): ExtensionInstances[Kind] & Partial<AsyncDisposable> {
  const [words, isMet] = demands[kind];
  const isObject = typeof instance === 'object' && instance !== null;
  if (isObject && isMet(instance as unknown as Parts)) return instance;
  throw new Error(`what its create() returns does not have ${words}`);
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function isInterval(value: unknown): boolean {
  return typeof value === 'number' && 1 <= value && value <= maxIntervalMs;
}
