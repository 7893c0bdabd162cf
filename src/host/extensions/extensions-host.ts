/** What `giraffe extensions` and `giraffe explain route` tell. Neither needs an edge. */
import { isIP } from 'node:net';
import { configFolder, type LoadedConfig } from '../../config/config-file.ts';
import { resolveSettings } from '../../config/setting.ts';
import { tokenFolderSettings } from '../../config/token-settings.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { ExtensionGuard } from '../../extension/guard.ts';
import type { ExtensionKind, RoutingRequest } from '../../extension/index.ts';
import { parseAuthority } from '../../http/authority.ts';
import type { FieldLine } from '../../http/field-line.ts';
import { isToken } from '../../http/head-syntax.ts';
import { requestedUpgrade } from '../../http/upgrade.ts';
import { defaultStateDir } from '../../state/state-folder.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import type { HostContext } from '../oclif/host-context.ts';
import { readConfigFile } from '../settings/program-config.ts';
import { writeEvent } from '../terminal/output.ts';
import { printable } from '../terminal/printable.ts';
import { columns } from '../terminal/text-layout.ts';
import { registryFor, selections } from './extension-selection.ts';

/** A request that somebody asks about. */
export interface WantedRoute {
  readonly url: string;
  readonly method: string;
  /** Lines `Name: value`. */
  readonly headers: readonly string[];
  /** Address of the client. */
  readonly client: string;
}

/** Lists the extensions of all plugins, and which of them the configuration picks. Throws GIR_ERR_CONFIG, GIR_ERR_EXTENSION_LOAD. */
export async function listExtensions({ input, plugins, output, json }: HostContext): Promise<number> {
  const file = await readConfigFile(input);
  const registry = await registryFor(plugins, file);
  const entries = registry.list().map(({ extension: { kind, name, summary }, plugin }) => {
    const { version, root } = plugins.plugins.get(plugin) ?? { version: undefined, root: undefined };
    return { kind, name, plugin, version, root, selected: isSelected(file, kind, name), summary };
  });
  if (json) {
    writeEvent(output, 'extensions', { extensions: entries });
    return 0;
  }
  const builtIn = [...plugins.plugins.values()].find(({ root }) => root === plugins.root)?.name;
  for (const line of listLines(entries, builtIn)) output.out(printable(line));
  output.err('* marks what the configuration uses. What names no plugin is built in.');
  return 0;
}

interface ListEntry {
  readonly kind: ExtensionKind;
  readonly name: string;
  readonly plugin: string;
  readonly version: string | undefined;
  readonly selected: boolean;
  readonly summary: string;
}

/** Where in the configuration file one of a kind is picked. */
const kindTitles: Readonly<Record<ExtensionKind, string>> = {
  'routing-strategy': 'Routing strategies (routing.strategy):',
  'auth-provider': 'Auth providers (auth[].provider):',
  'metrics-exporter': 'Metrics exporters (metrics[].exporter):',
  'certificate-source': 'Certificate sources (certificates.source):',
};

const lineWidth = 80;

/** @param builtIn Name of the plugin that goes without saying. */
function listLines(entries: readonly ListEntry[], builtIn: string | undefined): string[] {
  const first = 2 + Math.max(...entries.map(({ name }) => name.length + 2));
  return Object.entries(kindTitles).flatMap(([kind, title]) => {
    const lines = entries
      .filter((entry) => entry.kind === kind)
      .flatMap(({ name, selected, summary, plugin, version }) => {
        const origin = plugin === builtIn ? '' : ` (${plugin}${version === undefined ? '' : ` ${version}`})`;
        return columns(`${selected ? '*' : ' '} ${name}`, `${summary}${origin}`, {
          indent: 0,
          first,
          width: lineWidth,
        });
      });
    return lines.length === 0 ? [] : [title, ...lines];
  });
}

/** An empty list of auth providers means `tokens`. */
function isSelected(file: LoadedConfig, kind: string, name: string): boolean {
  if (kind === 'auth-provider' && file.config.auth.length === 0) return name === 'tokens';
  return selections(file).some((selection) => selection.kind === kind && selection.name === name);
}

/**
 * Tells how the configured strategy would route a request.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE for a request that is none; GIR_ERR_CONFIG, GIR_ERR_EXTENSION_LOAD.
 */
export async function explainRoute(context: HostContext, wanted: WantedRoute): Promise<number> {
  const request = requestOf(wanted);
  const { input, output, json, plugins } = context;
  const file = await readConfigFile(input);
  const registry = await registryFor(plugins, file);
  const { strategy: name, options } = file.config.routing;
  const settings = resolveSettings(tokenFolderSettings, input.flags, input.environment, file.source);
  const stateDir = settings.stateDir ?? defaultStateDir(input.environment);
  const configDir = configFolder(file, process.cwd());
  const workshop = {
    context: { logger: silentLogger, stateDir, configDir, now: Date.now },
    guard: new ExtensionGuard(),
  };
  const { value: strategy, end } = await registry.create('routing-strategy', name, options, workshop);
  try {
    const id = { kind: 'routing-strategy', name } as const;
    const explanation =
      workshop.guard.call(id, () => strategy.explain?.(request)) ?? 'the strategy does not explain itself';
    if (json) writeEvent(output, 'route', { strategy: name, explanation });
    else output.out(printable(`${name}: ${explanation}`));
  } finally {
    await end();
  }
  return 0;
}

function requestOf({ url: text, method, headers, client }: WantedRoute): RoutingRequest {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^(?:https?|wss?):$/.test(url.protocol)) {
    throw new GiraffeError('GIR_ERR_USAGE', `"${text}" is no URL such as https://app.example.com/api/items`);
  }
  if (!isToken(method)) throw new GiraffeError('GIR_ERR_USAGE', `"${method}" is no method such as GET`);
  if (isIP(client) === 0) throw new GiraffeError('GIR_ERR_USAGE', `--client is "${client}"; it takes an IP address`);
  const isSocket = url.protocol.startsWith('ws');
  const socketFields: FieldLine[] = isSocket
    ? [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
      ]
    : [];
  const fields = [...headers.map(fieldOf), ...socketFields];
  const head = { method, target: url.pathname, minorVersion: 1, fields, body: { kind: 'none' } } as const;
  return {
    method,
    host: parseAuthority(url.hostname).host,
    path: url.pathname,
    fields,
    isUpgrade: requestedUpgrade(head) !== undefined,
    clientAddress: client,
  };
}

function fieldOf(line: string): FieldLine {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  if (colon > 0 && isToken(name)) return [name, line.slice(colon + 1).trim()];
  throw new GiraffeError('GIR_ERR_USAGE', `"${line}" is no header field such as "Accept: text/html"`);
}
