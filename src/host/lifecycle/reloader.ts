/**
 * Reloads a configuration: reads it, prepares every change that can fail, and only then makes them. A configuration that is
 * refused changes nothing, and says in the log why.
 */
import { ConfigError } from '../../config/config-error.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** What a reload does, by the program it is for. */
export interface Reload<Config> {
  readonly logger: Logger;
  /** Reads the configuration anew. Throws when it is bad. */
  read(): Promise<Config>;
  /** Puts it in force and returns what to tell. Throws when it cannot be put in force; nothing is changed then. */
  use(next: Config): Promise<ReloadOutcome>;
}

/** What a reload did. */
export interface ReloadOutcome {
  /** What changed, by name. */
  readonly changed: readonly string[];
  /** What differs and needs a restart. */
  readonly needsRestart: readonly string[];
}

/** Runs reloads one after the other; of requests that come during one, a single one follows. */
export class Reloader<Config> {
  readonly #reload: Reload<Config>;
  #running: Promise<void> | undefined;
  #isWanted = false;

  constructor(reload: Reload<Config>) {
    this.#reload = reload;
  }

  /** Reloads, now or after the reload that is under way. Never rejects. */
  async request(): Promise<void> {
    this.#isWanted = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      await this.#once();
    }
  }

  async #once(): Promise<void> {
    const { logger } = this.#reload;
    try {
      const { changed, needsRestart } = await this.#reload.use(await this.#reload.read());
      if (needsRestart.length > 0) logger.warn({ settings: needsRestart }, 'these settings need a restart');
      logger.info({ changed }, 'reloaded');
    } catch (error) {
      const { code, message } = GiraffeError.from(error);
      const problems = error instanceof ConfigError ? error.problems : [message];
      logger.error({ code, problems }, 'reload refused: what was in force stays');
    }
  }
}
