/** `giraffe config schema`: the JSON Schema of the configuration file. */
import { GiraffeCommand } from '../../host/base-command.ts';

export default class ConfigSchema extends GiraffeCommand {
  static override summary = 'Print the JSON Schema of the configuration file, for editors and tools.';
  static override examples = ['<%= config.bin %> <%= command.id %> > giraffe.schema.json'];

  protected override async execute(): Promise<number> {
    await this.parse(ConfigSchema);
    const { configJsonSchema } = await import('../../config/config-schema.ts');
    this.output.out(JSON.stringify(configJsonSchema(), null, this.json ? undefined : 2));
    return 0;
  }
}
