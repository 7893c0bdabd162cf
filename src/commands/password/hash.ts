/** `giraffe password hash`: hashes a password for the auth provider `basic`. */
import { GiraffeCommand } from '../../host/oclif/base-command.ts';

export default class PasswordHash extends GiraffeCommand {
  static override summary = 'Hash a password for the auth provider basic.';
  static override description =
    'Reads the password from the terminal without showing it, or from stdin, and prints what the configuration file ' +
    'holds of it: `auth: [{ provider: basic, options: { users: { NAME: HASH } } }]`.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '$ <%= config.bin %> <%= command.id %> < password-file',
  ];

  protected override async execute(): Promise<number> {
    await this.parse(PasswordHash);
    const { printPasswordHash } = await import('../../host/credentials/password-service.ts');
    return printPasswordHash({ stdin: process.stdin, output: this.output, json: this.json });
  }
}
