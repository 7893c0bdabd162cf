/**
 * The schema of the configuration file: the one source of its types, errors, defaults, JSON Schema and reference page.
 */
import * as z from 'zod';
import { addExtensionOptions, type OfferedExtension } from './extension-options.ts';
import { defaultKey } from './file-leaf.ts';
import { agentSection } from './sections/agent.ts';
import {
  authSection,
  certificatesSection,
  metricsSection,
  pluginsSection,
  routingSection,
} from './sections/extensions.ts';
import { logSection } from './sections/log.ts';
import { serverSection } from './sections/server.ts';
import { tunnelsSection } from './sections/tunnels.ts';

/** The whole file. Everything in it may be left out. */
export const configSchema = z
  .strictObject({
    plugins: pluginsSection.default([]),
    server: serverSection.optional(),
    routing: routingSection.prefault({}),
    auth: authSection.default([{ provider: 'tokens', options: {} }]),
    metrics: metricsSection.optional(),
    certificates: certificatesSection.optional(),
    agent: agentSection.optional(),
    tunnels: tunnelsSection.default({}),
    log: logSection.optional(),
  })
  .describe('The configuration file of giraffe.');

/** A configuration as a file may write it. */
export type GiraffeConfig = z.input<typeof configSchema>;

/** A configuration that was read and found good, defaults of lists filled in. Settings are read through a FileSource. */
export type FileConfig = z.output<typeof configSchema>;

/** Returns the JSON Schema of the file, for editors and tools. @param extensions Whose options it shall know. */
export function configJsonSchema(extensions: readonly OfferedExtension[]): object {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      if (!(defaultKey in jsonSchema)) return;
      jsonSchema['default'] = jsonSchema[defaultKey] as typeof jsonSchema.default;
      delete jsonSchema[defaultKey];
    },
  });
  addExtensionOptions(schema, extensions);
  return schema;
}
