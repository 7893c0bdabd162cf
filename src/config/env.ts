/** The only file that reads the environment of the process. */

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the environment this process was started with. */
export function readEnvironment(): Environment {
  return process.env;
}
