/** What the owner of an agent should know of its settings before it starts. */
import type { AgentOptions } from '../../agent/agent-options.ts';
import { agentSettings } from '../../config/agent-settings.ts';
import { findSetting } from '../../config/setting.ts';
import { targetText } from '../../http/target.ts';
import { type AgentConfig, type ProgramInput, sourcesOf } from '../settings/program-config.ts';
import type { Output } from '../terminal/output.ts';

/** Warns of settings that are less safe than others would be, or do nothing. */
export function warnOfSettings(
  { input, output }: { readonly input: ProgramInput; readonly output: Output },
  { file, settings }: AgentConfig,
  started: AgentOptions,
): void {
  const token = findSetting(agentSettings.token, sourcesOf(input, file));
  if (token.source === 'flag' && token.text !== '-') {
    output.err(
      'Warning: others on this machine can read --token in the process list; GIRAFFE_TOKEN, --token-file and --token - hide it.',
    );
  }
  if (token.source === 'file') {
    output.err(`Warning: ${file.path} holds the token itself; agent.tokenFile keeps it in a file of its own.`);
  }
  if (settings.insecure) {
    output.err(
      "Warning: --insecure does not verify the edge's certificate: anybody in between can read and change everything.",
    );
  }
  const unverified = unverifiedOrigins(started);
  if (unverified.length > 0) {
    output.err(
      `Warning: the certificate of ${unverified.join(', ')} is not verified; --origin-ca FILE does that for a private CA or a self-signed one.`,
    );
  } else if (settings.originInsecure) {
    output.err('Warning: --origin-insecure has nothing to do: no target is an https:// URL.');
  }
}

/** Returns the https origins that are believed whoever they are, each once. */
function unverifiedOrigins({ tunnels }: AgentOptions): string[] {
  const insecure = tunnels.filter(({ originTls }) => originTls?.trust.kind === 'insecure');
  const targets = insecure.flatMap(({ target, targets = {} }) => [target, ...Object.values(targets)]);
  return [...new Set(targets.filter((target) => target.kind === 'tcp' && target.tls).map(targetText))];
}
