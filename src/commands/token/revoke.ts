/** `giraffe token revoke`: ends a token and the sessions that use it. */
import { Args } from '@oclif/core';
import { tokenFolderSettings } from '../../config/token-settings.ts';
import { GiraffeCommand } from '../../host/oclif/base-command.ts';
import { flagsOf } from '../../host/oclif/setting-flags.ts';

export default class TokenRevoke extends GiraffeCommand {
  static override summary = 'Revoke a token; its agents are cut off within a second.';
  static override examples = ['<%= config.bin %> <%= command.id %> ci'];
  static override args = {
    token: Args.string({
      name: 'ID|NAME',
      required: true,
      description: 'Its id or name, as `giraffe token list` shows.',
    }),
  };
  static override flags = flagsOf(tokenFolderSettings);

  protected override async execute(): Promise<number> {
    const { args, flags } = await this.parse(TokenRevoke);
    const { revokeToken } = await import('../../host/credentials/token-service.ts');
    return revokeToken(this.contextOf(flags), args.token);
  }
}
