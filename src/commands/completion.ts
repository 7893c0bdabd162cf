/** `giraffe completion bash|zsh`: a script that lets a shell complete commands, flags and their values. */
import { Args } from '@oclif/core';
import { GiraffeCommand } from '../host/oclif/base-command.ts';

export default class Completion extends GiraffeCommand {
  static override summary = 'Print a completion script for bash or zsh.';
  static override description = `For bash, with the package bash-completion: write it to
~/.local/share/bash-completion/completions/giraffe; without, to any file that ~/.bashrc sources.
For zsh: write it to a file _giraffe in a folder of $fpath.
Do so again after an update, or when a plugin brings commands.`;
  static override examples = [
    '$ source <(<%= config.bin %> <%= command.id %> bash)',
    '<%= config.bin %> <%= command.id %> bash > ~/.local/share/bash-completion/completions/<%= config.bin %>',
    '<%= config.bin %> <%= command.id %> zsh > "$HOME/.zfunc/_<%= config.bin %>"',
  ];
  static override args = {
    shell: Args.string({ name: 'SHELL', description: 'The shell.', options: ['bash', 'zsh'], required: true }),
  };

  protected override async execute(): Promise<number> {
    const { args } = await this.parse(Completion);
    const { printCompletion } = await import('../host/completion/completion.ts');
    const { commands, topics } = this.config;
    return printCompletion(args.shell === 'zsh' ? 'zsh' : 'bash', {
      commands,
      topics,
      output: this.output,
      json: this.json,
    });
  }
}
