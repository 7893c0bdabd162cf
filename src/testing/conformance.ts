/** What a conformance check is. It needs no test framework: `for (const { name, run } of kit) it(name, run)`. */
import type { RoutingRequest } from '../extension/index.ts';

/** One obligation of a contract. */
export interface ConformanceCheck {
  /** The obligation in words. */
  readonly name: string;
  /** Rejects with what is wrong; makes an instance of its own. */
  run(): Promise<void>;
}

/** Freezes a value and all below it, so that whoever changes it throws. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

/** A request without anything special, for extensions to look at. */
export const plainRequest: RoutingRequest = frozen({
  method: 'GET',
  host: 'app.example.com',
  path: '/',
  fields: [],
  isUpgrade: false,
  clientAddress: '192.0.2.1',
});

/** Makes an instance, uses it and ends it. */
export async function withInstance<T extends object>(
  make: () => Promise<T & Partial<AsyncDisposable>>,
  use: (instance: T) => void | Promise<void>,
): Promise<void> {
  const instance = await make();
  try {
    await use(instance);
  } finally {
    await instance[Symbol.asyncDispose]?.();
  }
}
