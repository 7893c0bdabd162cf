/** `giraffe explain route`: which way a request would take, and why. */
import { Args, Flags } from '@oclif/core';
import { configFile } from '../../config/common-settings.ts';
import { GiraffeCommand } from '../../host/oclif/base-command.ts';
import { flagsOf } from '../../host/oclif/setting-flags.ts';

export default class ExplainRoute extends GiraffeCommand {
  static override summary = 'Tell which routing rule a request meets, and why.';
  static override description = 'Needs no edge: it asks the routing strategy of the configuration file.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> https://app.example.com/api/items',
    '<%= config.bin %> <%= command.id %> wss://app.example.com/socket.io/',
    '<%= config.bin %> <%= command.id %> http://app.example.com/ --header "X-Canary: yes"',
  ];
  static override args = {
    url: Args.string({
      name: 'URL',
      description: 'The URL that a client asks for; ws:// for a WebSocket.',
      required: true,
    }),
  };
  static override flags = {
    ...flagsOf({ configFile }),
    method: Flags.string({ description: 'Method of the request. [default GET]', helpValue: 'METHOD' }),
    header: Flags.string({
      description: 'Header field of the request; may be given several times.',
      helpValue: '"NAME: VALUE"',
      multiple: true,
    }),
    client: Flags.string({ description: 'Address of the client. [default 127.0.0.1]', helpValue: 'ADDRESS' }),
  };

  protected override async execute(): Promise<number> {
    const { args, flags } = await this.parse(ExplainRoute);
    const { method = 'GET', header: headers = [], client = '127.0.0.1', ...rest } = flags;
    const { explainRoute } = await import('../../host/extensions/extensions-host.ts');
    return explainRoute(this.contextOf(rest), { url: args.url, method, headers, client });
  }
}
