/** What extensions are made with in tests: no log, no folder, and a guard of their own. */
import { ExtensionGuard } from '../../src/extension/guard.ts';
import type { ExtensionContext } from '../../src/extension/index.ts';
import type { Workshop } from '../../src/host/extensions/extension-registry.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

/** Returns a context; `rest` is laid over it. */
export function testContext(rest: Partial<ExtensionContext> = {}): ExtensionContext {
  return { logger: silentLogger, stateDir: '/nowhere', configDir: '/nowhere', now: Date.now, ...rest };
}

/** Returns a workshop of its own. */
export function testWorkshop(rest: Partial<ExtensionContext> = {}): Workshop {
  return { context: testContext(rest), guard: new ExtensionGuard() };
}
