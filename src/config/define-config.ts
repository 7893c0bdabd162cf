/** Types for a configuration file in TypeScript or JavaScript. Published as `giraffe-tunnel/config`. */
import type { GiraffeConfig } from './config-schema.ts';

export type { GiraffeConfig } from './config-schema.ts';

/** Returns `config` as it is; for its types: `export default defineConfig({ … })`. */
export function defineConfig(config: GiraffeConfig): GiraffeConfig {
  return config;
}
