/** Everything that is wrong with a configuration, told at once. */
import type { ErrorCode } from '../errors/codes.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';

/** Raised with one sentence for each thing that is wrong. Holds no secret. */
export class ConfigError extends GiraffeError {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], code: ErrorCode = 'GIR_ERR_CONFIG', options?: ErrorOptions) {
    super(code, problems.join('; '), options);
    this.problems = problems;
  }
}
