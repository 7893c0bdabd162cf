/** Hashes a password for the auth provider `basic`. The password comes from stdin, never from the command line. */
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { hashPassword } from '../../state/password-hash.ts';
import type { HostContext } from '../oclif/host-context.ts';
import { type Output, writeEvent } from '../terminal/output.ts';
import { readText } from './stdin-text.ts';

/** Where a password comes from and its hash goes to. */
export interface PasswordContext extends Pick<HostContext, 'output' | 'json'> {
  readonly stdin: NodeJS.ReadStream;
}

/**
 * Reads a password and prints its hash.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE when there is none, or one that is too long.
 */
export async function printPasswordHash({ stdin, output, json }: PasswordContext): Promise<number> {
  const hash = await hashPassword(stdin.isTTY ? await ask(stdin, output) : firstLine(await readText(stdin)));
  if (json) writeEvent(output, 'password-hash', { hash });
  else output.out(hash);
  return 0;
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? '';
}

/** Asks at a terminal, without showing what is typed. */
async function ask(stdin: NodeJS.ReadStream, output: Output): Promise<string> {
  output.err('Password (it is not shown; Enter ends it):');
  stdin.setRawMode(true);
  let typed = '';
  try {
    for await (const chunk of stdin) {
      for (const character of chunk.toString('utf8')) {
        if (character === '\r' || character === '\n') return typed;
        if (character === '\u0003' || character === '\u0004')
          throw new GiraffeError('GIR_ERR_USAGE', 'no password was given');
        typed = character === '\u007f' || character === '\b' ? [...typed].slice(0, -1).join('') : typed + character;
      }
    }
    return typed;
  } finally {
    stdin.setRawMode(false);
  }
}
