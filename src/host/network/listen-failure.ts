/** Tells why a port cannot be listened on, who holds it if that can be known, and which setting changes it. */

import { agentSettings } from '../../config/agent-settings.ts';
import { edgeSettings } from '../../config/edge-settings.ts';
import type { PortHolder } from '../../doctor/subject.ts';
import { GiraffeError } from '../../errors/giraffe-error.ts';
import { printable } from '../terminal/printable.ts';
import { portHolder } from './port-holder.ts';

const listening = { ...edgeSettings, inspectPort: agentSettings.inspectPort };

/** Names of the settings that hold a port to listen on. */
type PortSetting = Exclude<Extract<keyof typeof listening, `${string}Port`>, 'publicPort'>;

/** The ports a program was told to listen on. */
export type WantedPorts = Partial<Readonly<Record<PortSetting, number | undefined>>>;

const portNames: Readonly<Record<PortSetting, string>> = {
  proxyPort: 'proxy',
  apiPort: 'management API',
  grpcPort: 'gRPC tunnel',
  tunnelPort: 'TCP tunnel',
  redirectPort: 'redirect',
  grpcPlaintextPort: 'gRPC tunnel without TLS',
  inspectPort: 'local API of the agent',
};

/**
 * Returns the error to tell when a program could not start.
 *
 * @param error Whatever starting threw; anything but a failure to listen is returned as it is.
 * @param findHolder Returns who listens on a port.
 */
export function listenFailure(
  error: unknown,
  ports: WantedPorts,
  findHolder: (port: number) => PortHolder | undefined = portHolder,
): unknown {
  const cause = error instanceof GiraffeError && error.code === 'GIR_ERR_LISTEN' ? error.cause : error;
  if (!isListenError(cause)) return error;
  const settings = (Object.keys(portNames) as PortSetting[]).filter((name) => ports[name] === cause.port);
  const label = settings.map((name) => portNames[name]).join(' and ');
  const change = settings.map((name) => `--${listening[name].flag} or ${listening[name].env}`).join(', ');
  const reason = reasonOf(cause, settings.length, findHolder);
  const message = `cannot listen on port ${cause.port}${label === '' ? '' : ` (${label})`}: ${reason}`;
  const advice = change === '' ? '' : `; ${change} picks another port`;
  return new GiraffeError('GIR_ERR_LISTEN', message + advice, { cause });
}

interface ListenError extends Error {
  readonly code: string;
  readonly port: number;
}

function isListenError(error: unknown): error is ListenError {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error) || !('port' in error)) return false;
  return error.syscall === 'listen' && typeof error.port === 'number';
}

function reasonOf(
  error: ListenError,
  settingCount: number,
  findHolder: (port: number) => PortHolder | undefined,
): string {
  switch (error.code) {
    case 'EADDRINUSE': {
      const holder = findHolder(error.port);
      if (1 < settingCount && (holder === undefined || holder.pid === process.pid)) return 'both are set to it';
      return holder === undefined
        ? 'another program holds it'
        : `${printable(holder.program)} (pid ${holder.pid}) holds it`;
    }
    case 'EACCES':
      return 'this user may not; ports below 1024 need privileges';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'the address is none of this machine; see --host, --api-host and --grpc-plaintext-host';
    default:
      return error.code;
  }
}
