/** `giraffe token create`: makes a token for an agent. */
import { newTokenSettings } from '../../config/token-settings.ts';
import { GiraffeCommand } from '../../host/oclif/base-command.ts';
import { flagsOf } from '../../host/oclif/setting-flags.ts';

export default class TokenCreate extends GiraffeCommand {
  static override summary = 'Make a token for an agent. Its text is shown once, on stdout.';
  static override description =
    'Works on the state folder, so run it on the machine and as the user of the edge; a running edge knows the token ' +
    'within a second.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --name ci --endpoint "*.ci.example.com" --expires 30d',
    '<%= config.bin %> <%= command.id %> --endpoint app.example.com > token-file',
  ];
  static override flags = flagsOf(newTokenSettings);

  protected override async execute(): Promise<number> {
    const { flags } = await this.parse(TokenCreate);
    const { createToken } = await import('../../host/credentials/token-service.ts');
    return createToken(this.contextOf(flags));
  }
}
