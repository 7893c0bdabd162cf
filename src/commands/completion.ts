/** `giraffe completion bash|fish|zsh`: a script that lets a shell complete commands, flags and their values. */
import { Args } from '@oclif/core';
import { GiraffeCommand } from '../host/oclif/base-command.ts';

const shells = ['bash', 'fish', 'zsh'] as const;

export default class Completion extends GiraffeCommand {
  static override summary = 'Print a completion script for bash, fish or zsh.';
  static override description = `For bash, with the package bash-completion: write it to
~/.local/share/bash-completion/completions/giraffe; without, to any file that ~/.bashrc sources.
For fish: write it to ~/.config/fish/completions/giraffe.fish.
For zsh: write it to a file _giraffe in a folder of $fpath.
Do so again after an update, or when a plugin brings commands.`;
  static override examples = [
    '$ source <(<%= config.bin %> <%= command.id %> bash)',
    '<%= config.bin %> <%= command.id %> bash > ~/.local/share/bash-completion/completions/<%= config.bin %>',
    '<%= config.bin %> <%= command.id %> fish > ~/.config/fish/completions/<%= config.bin %>.fish',
    '<%= config.bin %> <%= command.id %> zsh > "$HOME/.zfunc/_<%= config.bin %>"',
  ];
  static override args = {
    shell: Args.custom<(typeof shells)[number]>({ options: [...shells] })({
      name: 'SHELL',
      description: 'The shell.',
      required: true,
    }),
  };

  protected override async execute(): Promise<number> {
    const { args } = await this.parse(Completion);
    const { printCompletion } = await import('../host/completion/completion.ts');
    const { commands, topics } = this.config;
    return printCompletion(args.shell, {
      commands,
      topics,
      output: this.output,
      json: this.json,
    });
  }
}
