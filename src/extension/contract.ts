/**
 * The plugin contract. A plugin is an oclif plugin that answers the hook
 * `giraffe:extensions` with a list of extensions; the built-in ones do just that.
 */
import type * as z from 'zod';
import type { Logger } from '../telemetry/logger.ts';
import type { AuthProvider } from './auth-provider.ts';
import type { CertificateSource } from './certificate-source.ts';
import type { MetricsExporter } from './metrics-exporter.ts';
import type { RoutingStrategy } from './routing-strategy.ts';

/** Version of this contract. An extension made for another one is refused with its name. */
export const extensionApiVersion = 1;

/** Kinds of extension, and what each one's `create` returns. A new kind is a new line here. */
export interface ExtensionInstances {
  'routing-strategy': RoutingStrategy;
  'auth-provider': AuthProvider;
  'metrics-exporter': MetricsExporter;
  'certificate-source': CertificateSource;
}

/** One kind of extension. */
export type ExtensionKind = keyof ExtensionInstances;

/** What an extension gets besides its options. Never the edge, the configuration or oclif. */
export interface ExtensionContext {
  readonly logger: Logger;
  /** The state folder, for extensions that keep something. Absolute. */
  readonly stateDir: string;
  /** Folder of the configuration file: relative paths in options are relative to it. Absolute. */
  readonly configDir: string;
  /**
   * Milliseconds since 1970. At an edge the time by which credentials expire, which no jump of the machine's clock moves;
   * what is compared with other machines or shown to people takes `Date.now()`.
   */
  now(): number;
}

/** Something that plugs into giraffe, described by data until it is created. */
export interface Extension<Kind extends ExtensionKind = ExtensionKind, Options extends z.ZodType = z.ZodType> {
  readonly apiVersion: typeof extensionApiVersion;
  readonly kind: Kind;
  /** Name in the configuration: kebab-case, unique within its kind. */
  readonly name: string;
  /** One sentence for people who choose. */
  readonly summary: string;
  /** Schema of the extension's options: types, validation and defaults. */
  readonly options: Options;
  /** Makes the instance, within 30 s. I/O belongs here and not into the import of the plugin. */
  create(
    options: z.output<Options>,
    context: ExtensionContext,
  ): Promise<ExtensionInstances[Kind] & Partial<AsyncDisposable>>;
}

/** Returns `extension` as it is; for the types of its kind and options. */
export function defineExtension<Kind extends ExtensionKind, Options extends z.ZodType>(
  extension: Extension<Kind, Options>,
): Extension<Kind, Options> {
  return extension;
}

/** What the hook `giraffe:extensions` is called with and returns. */
export interface ExtensionsHook {
  options: { apiVersion: typeof extensionApiVersion };
  return: readonly Extension[];
}
