/**
 * Makes the authentication providers that the configuration names.
 */
import type { NamedAuthProvider } from '../../edge/edge-options.ts';
import type { AuthProvider } from '../../extension/index.ts';
import type { ExtensionRegistry, Workshop } from '../extensions/extension-registry.ts';
import { type Made, madeTogether } from '../extensions/selected-extension.ts';

/** A provider as the configuration names it. */
export interface AuthSelection {
  readonly provider: string;
  /** Checked by the provider's own schema. */
  readonly options: unknown;
}

/** Who decides about agents when nobody was named for that. */
const defaultProvider = 'tokens';

/**
 * Makes providers in the order in which they are asked. When none of them decides about agents, `tokens` is the first:
 * an edge without it could not be used.
 *
 * @throws {GiraffeError} GIR_ERR_CONFIG, GIR_ERR_EXTENSION_LOAD. What was made before is ended then.
 */
export function createAuthProviders(
  registry: ExtensionRegistry,
  selections: readonly AuthSelection[],
  workshop: Workshop,
): Promise<Made<readonly NamedAuthProvider[]>> {
  return madeTogether(async (keep) => {
    const make = async ({ provider: name, options }: AuthSelection): Promise<NamedAuthProvider> => {
      return { name, provider: keep(await registry.create('auth-provider', name, options, workshop)) };
    };
    const list: NamedAuthProvider[] = [];
    for (const selection of selections) list.push(await make(selection));
    if (!list.some(({ provider }) => decidesAboutAgents(provider))) {
      list.unshift(await make({ provider: defaultProvider, options: {} }));
    }
    return list;
  });
}

function decidesAboutAgents(provider: AuthProvider): boolean {
  return provider.authenticateAgent !== undefined;
}
