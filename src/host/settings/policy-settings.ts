/**
 * Turns what a configuration file says about protection into policies of edge and agent, defaults filled in.
 */
import type { HealthCheck } from '../../agent/agent-options.ts';
import { type EdgeSettings, edgeSettings } from '../../config/edge-settings.ts';
import type { FileHealth, FilePolicy, FileServerPolicy } from '../../config/sections/policy.ts';
import type { EdgePolicy } from '../../edge/policy/policy-gate.ts';

/** A policy as edge and agent know it. */
export type TunnelPolicy = EdgePolicy['defaults'];
type RateLimit = NonNullable<EdgePolicy['clientRateLimit']>;
type FileRate = NonNullable<FilePolicy['rateLimit']>;

/** Returns the policy of one tunnel. Parts that the file does not have are not in it. */
export function tunnelPolicyOf(file: FilePolicy): TunnelPolicy {
  const { rateLimit, clientRateLimit, breaker, cors, headers, maxBodySize, requestTimeout, idleTimeout, ...same } =
    file;
  const { allowedOrigins, allowAddresses, denyAddresses, maxConcurrent, maxWebSockets } = same;
  return withoutAbsent({
    rateLimit: rateLimit && rateOf(rateLimit),
    clientRateLimit: clientRateLimit && rateOf(clientRateLimit),
    breaker: breaker && breakerOf(breaker),
    cors: cors && corsOf(cors),
    requestHeaders: headers?.request && headersOf(headers.request),
    responseHeaders: headers?.response && headersOf(headers.response),
    maxBodyBytes: maxBodySize,
    requestTimeoutMs: requestTimeout,
    idleTimeoutMs: idleTimeout,
    allowedOrigins,
    allowAddresses,
    denyAddresses,
    maxConcurrent,
    maxWebSockets,
  });
}

/** Returns the health check of one tunnel. */
export function healthCheckOf({ path, interval, timeout, unhealthyAfter, healthyAfter }: FileHealth): HealthCheck {
  return {
    path,
    intervalMs: interval ?? 10_000,
    timeoutMs: timeout ?? 5000,
    unhealthyAfter: unhealthyAfter ?? 2,
    healthyAfter: healthyAfter ?? 1,
  };
}

/** Returns what an edge enforces. @param file The section `server` of the configuration file, if there is one. */
export function edgePolicyOf(
  settings: Pick<EdgeSettings, 'rateLimitRpm' | 'rateLimitBurst'>,
  file: FileServerPolicy = {},
): EdgePolicy {
  const { rateLimit, ...defaults } = file.defaults ?? {};
  return {
    defaults: { ...tunnelPolicyOf(defaults), rateLimit: defaultRate(settings, rateLimit?.announce) },
    policies: (file.policies ?? []).map(({ endpoints, ...policy }) => ({ endpoints, policy: tunnelPolicyOf(policy) })),
    clientRateLimit: file.clientRateLimit && rateOf(file.clientRateLimit),
    maxConnectionsPerClient: file.maxConnectionsPerClient ?? 0,
    allowAddresses: file.allowAddresses ?? [],
    denyAddresses: file.denyAddresses ?? [],
    proxyProtocolPeers: file.proxyProtocol ?? [],
  };
}

/** The limit that nobody asked for stays out of the responses that it does not concern. */
function defaultRate(
  { rateLimitRpm: rpm, rateLimitBurst: burst }: Pick<EdgeSettings, 'rateLimitRpm' | 'rateLimitBurst'>,
  announce: boolean | undefined,
): RateLimit {
  const isBuiltIn =
    String(rpm) === edgeSettings.rateLimitRpm.defaultText && String(burst) === edgeSettings.rateLimitBurst.defaultText;
  return { rpm, burst, announce: announce ?? !isBuiltIn };
}

function rateOf({ rpm, burst, announce }: FileRate): RateLimit {
  return { rpm, burst: burst ?? 0, announce: announce ?? true };
}

function breakerOf({ failures, openFor, statuses }: NonNullable<FilePolicy['breaker']>): TunnelPolicy['breaker'] {
  return { failures, openMs: openFor ?? 10_000, statuses: statuses ?? [] };
}

function corsOf(cors: NonNullable<FilePolicy['cors']>): TunnelPolicy['cors'] {
  return {
    methods: cors.methods ?? ['GET', 'HEAD', 'POST'],
    headers: cors.headers ?? [],
    exposedHeaders: cors.exposedHeaders ?? [],
    credentials: cors.credentials ?? false,
    maxAgeSeconds: Math.round((cors.maxAge ?? 600_000) / 1000),
  };
}

type FileHeaderRules = NonNullable<NonNullable<FilePolicy['headers']>['request']>;

function headersOf({ remove = [], set = {}, add = {} }: FileHeaderRules): TunnelPolicy['requestHeaders'] {
  return { remove, set, add };
}

/** Absent is not the same as undefined where policies are laid over each other. */
function withoutAbsent(policy: TunnelPolicy): TunnelPolicy {
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
}
