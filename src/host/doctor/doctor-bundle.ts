/**
 * Writes the doctor's report for a bug ticket: versions, settings, findings, the end of logs; and no secret.
 *
 * Secrets are kept out three times: settings are those that `config show` would show, known tokens are replaced wherever
 * they stand, and so is whatever looks like one or stands in a field for credentials.
 */
import { access, constants, type FileHandle, lstat, open, writeFile } from 'node:fs/promises';
import { arch, homedir, release, type as systemType } from 'node:os';
import { dirname, resolve } from 'node:path';
import { redactedText } from '../../config/secret.ts';
import type { CheckResult } from '../../doctor/check.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { readAdminToken, readAgentToken } from '../../state/local-files.ts';
import { listRunningAgents } from '../../state/running-agents.ts';
import { systemCode } from '../../state/state-error.ts';
import { softwareName } from '../../telemetry/software.ts';
import { configLines } from '../settings/config-host.ts';
import { readAgentConfig, readEdgeConfig } from '../settings/program-config.ts';
import { told } from '../terminal/printable.ts';
import type { DoctorContext } from './doctor-host.ts';
import { checkLines } from './doctor-report.ts';
import type { SubjectParts } from './doctor-subject.ts';

/** Lines of the end of a log, and octets that are read for them. */
const maxLogLines = 200;
const maxLogBytes = 128 * 1024;
const lineWidth = 100;

/** What goes into a bundle. */
export interface BundleContent {
  readonly context: Pick<DoctorContext, 'input' | 'plugins'>;
  readonly results: readonly CheckResult[];
  readonly parts: SubjectParts;
}

/** Where the report goes. */
export interface Bundle {
  /** Writes the report and returns the absolute path of the file, 0600. */
  write(content: BundleContent): Promise<string>;
}

/**
 * Looks whether a file can be made, before any work is done for it. Nothing is left behind when it is never written.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE when it is there already or cannot be made.
 */
export async function prepareBundle(file: string): Promise<Bundle> {
  const path = resolve(file);
  const unusable = (why: string, cause?: unknown) =>
    new GiraffeError('GIR_ERR_USAGE', `${path} ${why}; give --bundle another name`, { cause });
  const isThere = await lstat(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw unusable('is there already, and is not overwritten');
  try {
    await access(dirname(path), constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw unusable(`cannot be written (${systemCode(cause)})`, cause);
  }
  return {
    write: async (content) => {
      await writeFile(path, await bundleText(content), { flag: 'wx', mode: 0o600 });
      return path;
    },
  };
}

async function bundleText({ context, results, parts }: BundleContent): Promise<string> {
  const [configuration, logs, secrets] = await Promise.all([
    configLines(context).catch((error: Error) => [`(not readable: ${error.message})`]),
    logSections(context, parts),
    knownSecrets(parts),
  ]);
  const text = [
    '# giraffe doctor',
    '',
    `- ${softwareName}, Node.js ${process.versions.node}, OpenSSL ${process.versions.openssl}`,
    `- ${systemType()} ${release()} ${arch()}`,
    `- ${new Date().toISOString()}`,
    '',
    ...section(
      'Findings',
      results.flatMap((result) => checkLines(result, lineWidth)),
    ),
    ...section('Settings', configuration),
    ...logs,
  ];
  return `${text.map((line) => withoutSecrets(line, secrets)).join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return [`## ${title}`, '', '```', ...lines, '```', ''];
}

/** The ends of the logs that settings and running agents name. */
async function logSections({ input }: Pick<DoctorContext, 'input'>, { state }: SubjectParts): Promise<string[]> {
  const configured = await Promise.all(
    [readEdgeConfig(input), readAgentConfig(input)].map((config) =>
      config.then(({ settings }) => settings.logFile).catch(() => undefined),
    ),
  );
  const running = await listRunningAgents(state?.path ?? '.').catch(() => []);
  const files = new Set([...configured, ...running.map(({ logFile }) => logFile)].filter((file) => file !== undefined));
  const sections = await Promise.all(
    [...files].map(async (file) => section(`The last lines of ${file}`, await lastLines(file))),
  );
  return sections.flat();
}

async function lastLines(file: string): Promise<string[]> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const { size } = await handle.stat();
    const start = Math.max(0, size - maxLogBytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(size, maxLogBytes)), { position: start });
    const lines = buffer.subarray(0, bytesRead).toString('utf8').trimEnd().split('\n');
    return (start === 0 ? lines : lines.slice(1)).slice(-maxLogLines);
  } catch (error) {
    return [`(not readable: ${(error as Error).message})`];
  } finally {
    await handle?.close();
  }
}

/** Tokens that can be told from any other text only by knowing them. */
async function knownSecrets({ way, state }: SubjectParts): Promise<string[]> {
  const path = state?.path;
  const left =
    path === undefined
      ? []
      : await Promise.all([readAgentToken, readAdminToken].map((read) => read(path).catch(() => undefined)));
  return [way?.token.value, ...left].filter((secret) => secret !== undefined && secret.length >= 4) as string[];
}

// A field for credentials, as a header line or in JSON, up to the end of its value.
const credentialField =
  /\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)(["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|[^"'\n]*)/gi;
const credentialKey = /("(?:token|secret|password|passwd|credential)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi;

/** Returns a line fit for strangers. Pure. */
export function withoutSecrets(line: string, secrets: readonly string[]): string {
  const known = secrets.reduce((text, secret) => text.replaceAll(secret, redactedText), line);
  const home = homedir();
  return told(known)
    .replace(credentialField, `$1$2${redactedText}`)
    .replace(credentialKey, `$1"${redactedText}"`)
    .replaceAll(home === '/' ? '\0' : home, '~');
}
