/**
 * The extensions that are installed, by kind and name, and the way to make one's instance.
 *
 * Knows nothing of oclif or of how extensions are found.
 */

import { optionProblems } from '../../config/config-problems.ts';
import { nearestFirst } from '../../config/nearest.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { ExtensionGuard, ExtensionId } from '../../extension/guard.ts';
import type { Extension, ExtensionContext, ExtensionInstances, ExtensionKind } from '../../extension/index.ts';
import { checkedInstance } from './extension-instance.ts';
import type { Made } from './selected-extension.ts';

/** Every kind of extension. Its type makes a new kind without an entry here an error. */
const kindLabels: Readonly<Record<ExtensionKind, string>> = {
  'routing-strategy': 'routing strategy',
  'auth-provider': 'auth provider',
  'metrics-exporter': 'metrics exporter',
  'certificate-source': 'certificate source',
};

/** An extension and the plugin that offers it. */
export interface InstalledExtension {
  readonly extension: Extension;
  /** Name of the npm package. */
  readonly plugin: string;
}

/** What instances are made with. */
export interface Workshop {
  readonly context: ExtensionContext;
  readonly guard: ExtensionGuard;
}

/** Time to make an instance, and to end one, in milliseconds. */
export interface ExtensionTimes {
  readonly createMs: number;
  readonly endMs: number;
}

const usualTimes: ExtensionTimes = { createMs: 30_000, endMs: 5000 };

/** Tells whether a text is a kind of extension. */
export function isExtensionKind(text: unknown): text is ExtensionKind {
  return typeof text === 'string' && Object.hasOwn(kindLabels, text);
}

/** Extensions by kind and name. */
export class ExtensionRegistry {
  readonly #installed = new Map<string, InstalledExtension>();
  readonly #times: ExtensionTimes;

  /**
   * @param installed What plugins offer, in the order in which it shall be listed.
   * @throws {GiraffeError} GIR_ERR_EXTENSION_LOAD when two plugins offer the same kind and name.
   */
  constructor(installed: readonly InstalledExtension[], times = usualTimes) {
    this.#times = times;
    for (const offer of installed) {
      const key = keyOf(offer.extension.kind, offer.extension.name);
      const other = this.#installed.get(key);
      if (other !== undefined) throw duplicate(other, offer);
      this.#installed.set(key, offer);
    }
  }

  /** Returns all extensions, by plugin and in the plugin's own order. */
  list(): readonly InstalledExtension[] {
    return [...this.#installed.values()];
  }

  /**
   * Makes the instance of an extension. To end it never throws and never hangs: what goes wrong is logged.
   *
   * @param options As they stand in the configuration; the extension's schema checks them.
   * @throws {GiraffeError} GIR_ERR_CONFIG when nothing has this name or the options are wrong; GIR_ERR_EXTENSION_LOAD when
   *   the extension fails to make its instance, or not in time.
   */
  async create<Kind extends ExtensionKind>(
    kind: Kind,
    name: string,
    options: unknown,
    { context, guard }: Workshop,
  ): Promise<Made<ExtensionInstances[Kind]>> {
    const { extension, plugin } = this.#find(kind, name);
    const parsed = this.check(kind, name, options);
    const id: ExtensionId = { kind, name };
    try {
      const value = await guard.ask(id, this.#times.createMs, async () =>
        checkedInstance(kind, await (extension as Extension<Kind>).create(parsed, context)),
      );
      return { value, end: () => this.#end(id, value, { context, guard }) };
    } catch (error) {
      const { cause = error } = error as Error;
      const detail = cause instanceof Error ? cause.message : String(cause);
      const message = `plugin ${plugin}: the ${kindLabels[kind]} ${name} could not be made: ${detail}`;
      throw new GiraffeError('GIR_ERR_EXTENSION_LOAD', message, { cause });
    }
  }

  async #end(id: ExtensionId, instance: Partial<AsyncDisposable>, { context, guard }: Workshop): Promise<void> {
    try {
      await guard.ask(id, this.#times.endMs, async () => instance[Symbol.asyncDispose]?.());
    } catch (error) {
      const { cause = error } = error as Error;
      context.logger.warn({ extension: `${id.kind}/${id.name}`, err: cause }, 'an extension did not end well');
    }
  }

  /**
   * Returns the options of an extension as its schema makes them.
   *
   * @throws {GiraffeError} GIR_ERR_CONFIG when nothing has this name or the options are wrong.
   */
  check(kind: ExtensionKind, name: string, options: unknown): unknown {
    const { extension } = this.#find(kind, name);
    const parsed = extension.options.safeParse(options);
    if (parsed.success) return parsed.data;
    const problems = optionProblems(extension.options, parsed.error.issues);
    throw new GiraffeError(
      'GIR_ERR_CONFIG',
      `the ${kindLabels[kind]} ${name} refuses its options: ${problems.join('; ')}`,
    );
  }

  #find(kind: ExtensionKind, name: string): InstalledExtension {
    const found = this.#installed.get(keyOf(kind, name));
    if (found !== undefined) return found;
    const names = this.list()
      .filter(({ extension }) => extension.kind === kind)
      .map(({ extension }) => extension.name);
    const label = kindLabels[kind];
    const offer = names.length === 0 ? 'none is installed' : `there is ${nearestFirst(name, names).join(', ')}`;
    throw new GiraffeError('GIR_ERR_CONFIG', `no ${label} named ${name}; ${offer}`);
  }
}

function keyOf(kind: ExtensionKind, name: string): string {
  return `${kind}/${name}`;
}

function duplicate(first: InstalledExtension, second: InstalledExtension): GiraffeError {
  const { kind, name } = first.extension;
  const plugins = first.plugin === second.plugin ? `${first.plugin} twice` : `${first.plugin} and ${second.plugin}`;
  return new GiraffeError('GIR_ERR_EXTENSION_LOAD', `the ${kindLabels[kind]} ${name} is offered by ${plugins}`);
}
