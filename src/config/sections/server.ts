/** The section `server` of the configuration file: the edge. What each setting is stands in edge-settings.ts. */
import * as z from 'zod';
import { edgeSettings as edge } from '../edge-settings.ts';
import { serverPolicyParts } from './policy.ts';

const ports = z
  .strictObject({
    proxy: edge.proxyPort.leaf,
    api: edge.apiPort.leaf,
    grpc: edge.grpcPort.leaf,
    tunnel: edge.tunnelPort.leaf,
    grpcPlaintext: edge.grpcPlaintextPort.leaf,
    redirect: edge.redirectPort.leaf,
  })
  .describe('Ports to listen on.');

const tls = z
  .strictObject({ cert: edge.tlsCert.leaf, key: edge.tlsKey.leaf })
  .describe('A certificate of your own for both tunnel ports.');

const proxyTls = z
  .strictObject({ enabled: edge.proxyTls.leaf, cert: edge.proxyTlsCert.leaf, key: edge.proxyTlsKey.leaf })
  .describe('HTTPS on the proxy port.');

const limits = z
  .strictObject({
    maxHeaderSize: edge.maxHeaderSize.leaf,
    maxConnections: edge.maxConnections.leaf,
    headerTimeout: edge.headerTimeout.leaf,
    bodyIdleTimeout: edge.bodyIdleTimeout.leaf,
    idleConnectionTimeout: edge.idleConnectionTimeout.leaf,
    maxStreams: edge.maxStreams.leaf,
    maxMessageSize: edge.maxMessageSize.leaf,
  })
  .describe('Bounds on what clients and agents can make the edge hold.');

/** Schema of the section. */
export const serverSection = z
  .strictObject({
    baseDomain: edge.baseDomain.leaf,
    publicHost: edge.publicHost.leaf,
    host: edge.host.leaf,
    apiHost: edge.apiHost.leaf,
    grpcPlaintextHost: edge.grpcPlaintextHost.leaf,
    ports: ports.optional(),
    publicScheme: edge.publicScheme.leaf,
    publicPort: edge.publicPort.leaf,
    tls: tls.optional(),
    proxyTls: proxyTls.optional(),
    stateDir: edge.stateDir.leaf,
    drainTimeout: edge.drainTimeout.leaf,
    requestTimeout: edge.requestTimeout.leaf,
    reconnectGrace: edge.reconnectGrace.leaf,
    keepAlive: edge.keepAlive.leaf,
    trustedProxies: edge.trustedProxies.leaf,
    limits: limits.optional(),
    ...serverPolicyParts,
  })
  .describe('The edge, `giraffe server start`.');
