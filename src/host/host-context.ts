import type { Output } from './output.ts';
import type { PluginHost } from './plugin-loader.ts';
import type { ProgramInput } from './program-config.ts';

/** What the class of a command hands to the host. */
export interface HostContext {
  readonly input: ProgramInput;
  readonly plugins: PluginHost;
  readonly output: Output;
  /** Whether programs read stdout. */
  readonly json: boolean;
}
