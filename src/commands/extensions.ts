/** `giraffe extensions`: what plugins offer, and what of it the configuration picks. */
import { configFile } from '../config/common-settings.ts';
import { GiraffeCommand } from '../host/oclif/base-command.ts';
import { flagsOf } from '../host/oclif/setting-flags.ts';

export default class Extensions extends GiraffeCommand {
  static override summary = 'List the extensions that are installed, and their plugins.';
  static override description =
    'The ones that the configuration file picks have a star. A plugin that does not load is an error that names it.';
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json'];
  static override flags = flagsOf({ configFile });

  protected override async execute(): Promise<number> {
    const { flags } = await this.parse(Extensions);
    const { listExtensions } = await import('../host/extensions/extensions-host.ts');
    return listExtensions(this.contextOf(flags));
  }
}
