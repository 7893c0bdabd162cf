/**
 * The gRPC service as grpc-js wants it: proto/tunnel.proto, with the hot message coded by hand.
 */
import { fileURLToPath } from 'node:url';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { decodeBatch } from '../protocol/batch-codec.ts';

/** Everything that proto/tunnel.proto defines. */
export function loadTunnelPackage(): PackageDefinition {
  return loadProto('tunnel.proto');
}

/** grpc.health.v1 for reflection alone; grpc-health-check has its own for serving it. */
export function loadHealthPackage(): PackageDefinition {
  return loadProto('health.proto');
}

function loadProto(name: string): PackageDefinition {
  const path = fileURLToPath(new URL(`../../proto/${name}`, import.meta.url));
  return loadSync(path, { keepCase: true, enums: String, defaults: true });
}

/** Full method name of the carrier call. */
const connectPath = '/tunnel.TunnelService/Connect';

/** Messages of the carrier call are buffers: already encoded when sent, frames only when received. */
export const connectMethod: MethodDefinition<Buffer, Buffer> = {
  path: connectPath,
  requestStream: true,
  responseStream: true,
  requestSerialize: (message) => message,
  requestDeserialize: decodeBatch,
  responseSerialize: (message) => message,
  responseDeserialize: decodeBatch,
};

/** The service definition of tunnel.TunnelService. */
export function tunnelService(definition: PackageDefinition): ServiceDefinition {
  return { ...(definition['tunnel.TunnelService'] as ServiceDefinition), Connect: connectMethod };
}
