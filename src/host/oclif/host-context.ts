import type { PluginHost } from '../extensions/plugin-loader.ts';
import type { ProgramInput } from '../settings/program-config.ts';
import type { Output } from '../terminal/output.ts';

/** What the class of a command hands to the host. */
export interface HostContext {
  readonly input: ProgramInput;
  readonly plugins: PluginHost;
  readonly output: Output;
  /** Whether programs read stdout. */
  readonly json: boolean;
}
