/** The sections that pick extensions: `plugins`, `routing`, `auth`, `metrics` and `certificates`. The options are the extensions' own business. */
import * as z from 'zod';

const acceptedName = 'a name in lower case such as round-robin';
const name = z.string({ error: acceptedName }).regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/, acceptedName);
const options = z
  .record(z.string(), z.unknown())
  .default({})
  .describe('Options of the extension, checked by its own schema.');

/** Plugins to load. */
export const pluginsSection = z
  .array(z.string().min(1, 'the name of a package, or a path that begins with . or /'))
  .describe(
    'Plugins to load: names of npm packages, or paths that begin with . or /, both relative to this file. A change needs a restart.',
  );

/** The routing strategy. */
export const routingSection = z
  .strictObject({
    strategy: name.default('hybrid').describe('Name of the routing strategy.').meta({ reload: 'live' }),
    options: options.meta({ reload: 'live' }),
  })
  .describe('How the edge chooses agent and transport for a request.');

/** Who may open a tunnel or visit an endpoint. */
export const authSection = z
  .array(
    z.strictObject({
      provider: name.describe('Name of the auth provider.').meta({ reload: 'live' }),
      options: options.meta({ reload: 'live' }),
    }),
  )
  .describe('Auth providers of the edge, asked in this order (default the provider tokens alone).');

/** Where figures go. */
export const metricsSection = z
  .array(
    z.strictObject({
      exporter: name.describe('Name of the metrics exporter.').meta({ reload: 'live' }),
      options: options.meta({ reload: 'live' }),
    }),
  )
  .describe('Metrics exporters (default `prometheus` at the edge, none at agents).');

/** Where the certificates of the proxy port come from. */
export const certificatesSection = z
  .strictObject({
    source: name.describe('Name of the certificate source.'),
    options,
  })
  .describe(
    'Certificates for the names that clients ask for, with server.proxyTls (default one for all). A change needs a restart.',
  );
