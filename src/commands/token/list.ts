/** `giraffe token list`: shows the tokens of an edge. */
import { tokenFolderSettings } from '../../config/token-settings.ts';
import { GiraffeCommand } from '../../host/oclif/base-command.ts';
import { flagsOf } from '../../host/oclif/setting-flags.ts';

export default class TokenList extends GiraffeCommand {
  static override summary = 'List the tokens of agents, without their text.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override flags = flagsOf(tokenFolderSettings);

  protected override async execute(): Promise<number> {
    const { flags } = await this.parse(TokenList);
    const { listTokens } = await import('../../host/credentials/token-service.ts');
    return listTokens(this.contextOf(flags));
  }
}
