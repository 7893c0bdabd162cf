/** `giraffe config validate`: says whether edge and agent would start with a configuration. */
import { Args } from '@oclif/core';
import { configFile } from '../../config/common-settings.ts';
import { GiraffeCommand } from '../../host/oclif/base-command.ts';
import { flagsOf } from '../../host/oclif/setting-flags.ts';

export default class ConfigValidate extends GiraffeCommand {
  static override summary = 'Check a configuration file, its plugins and their options.';
  static override description =
    'Tells everything that is wrong at once, and exits 3; or 4 when a plugin does not load.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> /etc/giraffe/giraffe.config.yaml',
  ];
  static override args = {
    file: Args.string({ name: 'FILE', description: 'The file (default that of --config, or the one in this folder).' }),
  };
  static override flags = flagsOf({ configFile });

  protected override async execute(): Promise<number> {
    const { args, flags } = await this.parse(ConfigValidate);
    const { validateConfig } = await import('../../host/settings/config-host.ts');
    const given = args.file === undefined ? flags : { ...flags, [configFile.flag]: args.file };
    return validateConfig(this.contextOf(given));
  }
}
