/** `giraffe config schema`: the JSON Schema of the configuration file. */
import { configFile } from '../../config/common-settings.ts';
import { GiraffeCommand } from '../../host/oclif/base-command.ts';
import { flagsOf } from '../../host/oclif/setting-flags.ts';

export default class ConfigSchema extends GiraffeCommand {
  static override summary = 'Print the JSON Schema of the configuration file.';
  static override description =
    'For editors and other tools. It knows the options of every extension that is installed or that a plugin of the file offers.';
  static override examples = ['<%= config.bin %> <%= command.id %> > giraffe.schema.json'];
  static override flags = flagsOf({ configFile });

  protected override async execute(): Promise<number> {
    const { flags } = await this.parse(ConfigSchema);
    const { printSchema } = await import('../../host/settings/config-host.ts');
    return printSchema(this.contextOf(flags));
  }
}
