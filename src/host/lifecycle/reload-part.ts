/** The port of whatever a reload can change. */
import type { ConfigWithFile } from '../settings/program-config.ts';

/** A change that is ready to be made. */
export interface PreparedChange {
  /** Makes the change. Must not fail. */
  apply(): void;
  /** Ends what was prepared, when the reload is refused because of something else. */
  discard?(): Promise<void>;
}

/** Something that a reload can change. */
export interface ReloadPart {
  /** Does whatever can fail, and changes nothing yet. Returns undefined when there is nothing to change. */
  prepare(next: ConfigWithFile): Promise<PreparedChange | undefined>;
}
