/** `giraffe config show`: what is in force, and where it comes from. */
import { Flags } from '@oclif/core';
import { shownSettings } from '../../config/shown-settings.ts';
import { GiraffeCommand } from '../../host/oclif/base-command.ts';
import { flagsOf } from '../../host/oclif/setting-flags.ts';

export default class ConfigShow extends GiraffeCommand {
  static override summary = 'Show the settings in force, and where each one comes from.';
  static override description =
    'Flags go before the environment, that before the file, and that before defaults. Takes the flags of `giraffe ' +
    'server start` and `giraffe tunnel` that a file can set as well, so that their effect can be seen. Secrets are not ' +
    'shown.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --source',
    '$ PROXY_PORT=80 <%= config.bin %> <%= command.id %> --source --json',
  ];
  static override flags = {
    ...flagsOf(shownSettings),
    source: Flags.boolean({ description: 'Tell where each value comes from: flag, environment, file or default.' }),
  };

  protected override async execute(): Promise<number> {
    const { flags } = await this.parse(ConfigShow);
    const { showConfig } = await import('../../host/settings/config-host.ts');
    return showConfig(this.contextOf(flags), flags['source'] === true);
  }
}
