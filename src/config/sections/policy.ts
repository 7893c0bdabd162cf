/**
 * What protects an endpoint, as a file writes it: parts of `tunnels.*` (the agent's owner) and of `server` (the edge's
 * operator). What is in force when both speak stands in docs/adr/0006-policies.md.
 */
import * as z from 'zod';
import { type HeadKind, isRuleField, isRuleValue } from '../../http/header-rules.ts';
import { edgeSettings } from '../edge-settings.ts';
import { fileLeaf, type LeafMeta } from '../file-leaf.ts';
import {
  byteSize,
  count,
  duration,
  list,
  network,
  originPattern,
  type TextSchema,
  token,
  urlPath,
  yesOrNo,
} from '../units.ts';

const most = 1_000_000_000;
const mostBytes = 2 ** 50;

function leaf<T>(schema: TextSchema<T>, description: string, defaultText?: string) {
  const meta: LeafMeta = { env: undefined, flag: undefined, secret: false, reload: 'live', defaultText };
  return fileLeaf(schema, description, meta);
}

const announce = leaf(
  yesOrNo(),
  'Whether all responses tell the quota in RateLimit and RateLimit-Policy; a 429 always does.',
  'true',
);

function rateLimit(whose: string) {
  return z
    .strictObject({
      rpm: leaf(count(0, most), 'Requests per minute in the long run; 0 is no limit.').nonoptional({
        error: 'a number of requests per minute',
      }),
      burst: leaf(count(0, most), 'Requests that may come at once above rpm.', '0'),
      announce,
    })
    .describe(`Rate limit ${whose}: rpm and burst together may come at once, then rpm per minute; more get 429.`);
}

const breaker = z
  .strictObject({
    failures: leaf(count(0, most), 'Failures in a row that open the breaker; 0 is no breaker.').nonoptional({
      error: 'a number of failures',
    }),
    openFor: leaf(duration(100), 'How long it stays open; then one request finds out.', '10s'),
    statuses: z
      .array(
        z.int('a status from 400 to 599').min(400, 'a status from 400 to 599').max(599, 'a status from 400 to 599'),
      )
      .optional()
      .describe('Statuses that count as failures, besides an origin that cannot be reached or breaks off.')
      .meta({ reload: 'live' }),
  })
  .describe('Circuit breaker: spares an origin that fails again and again; requests get 503 meanwhile.');

const method = 'a method such as GET';
const field = 'a name of a header field, or *';

const cors = z
  .strictObject({
    methods: leaf(list(token(method)), 'Methods that pages may use.', 'GET, HEAD, POST'),
    headers: leaf(list(token(field)), 'Request fields that pages may send; * is any.', ''),
    exposedHeaders: leaf(list(token(field)), 'Response fields that pages may read.', ''),
    credentials: leaf(
      yesOrNo(),
      'Whether pages may send cookies. Never put in force while allowedOrigins lets every origin in.',
      'false',
    ),
    maxAge: leaf(duration(0), 'How long a browser may remember what it was told.', '10m'),
  })
  .describe('Lets the edge answer preflights and write the CORS fields, in place of the origin.');

function headerRules(kind: HeadKind) {
  const refused = `a header field that rules may touch: none that frames a message, ends at a hop${kind === 'request' ? ', or is Host' : ''}`;
  const name = z.string().refine((text) => isRuleField(text, kind), refused);
  const value = z.string().refine(isRuleValue, 'a text of 1 to 4096 characters without control characters');
  const lines = z.record(name, value).optional();
  return z
    .strictObject({
      remove: z.array(name).optional().describe('Fields to take out.').meta({ reload: 'live' }),
      set: lines.describe('Fields and their value, in place of all lines that are there.').meta({ reload: 'live' }),
      add: lines.describe('Fields and their value, as one more line.').meta({ reload: 'live' }),
    })
    .optional()
    .describe(`Changes to the header of each ${kind}: remove, then set, then add.`);
}

/** Parts of a policy but its rate limit for all clients together. */
const parts = {
  clientRateLimit: rateLimit('for each client address (IPv6: each /64) of an endpoint').optional(),
  maxConcurrent: leaf(count(0, most), 'Requests in flight at once, then 503; 0 is no limit.', '0'),
  maxWebSockets: leaf(count(0, most), 'Upgraded connections at once, then 503; 0 is no limit.', '0'),
  breaker: breaker.optional(),
  allowedOrigins: leaf(
    list(originPattern()),
    'Origins whose pages may call the endpoint, besides its own; pages of others get 403 (default every origin).',
  ),
  cors: cors.optional(),
  headers: z
    .strictObject({ request: headerRules('request'), response: headerRules('response') })
    .optional()
    .describe('Changes to header fields on their way.'),
  allowAddresses: leaf(list(network()), 'Only clients at these addresses are admitted, others get 403 (default all).'),
  denyAddresses: leaf(list(network()), 'Clients at these addresses get 403.', ''),
  maxBodySize: leaf(byteSize(0, mostBytes), 'Largest body of a request, then 413 (default no limit).'),
  requestTimeout: leaf(duration(1), 'Time to the head of a response, then 504 (default that of the edge).'),
  idleTimeout: leaf(
    duration(1),
    'Time without a byte in either direction behind the head of a response, upgraded connections included (default no limit).',
  ),
};

/** Parts of a policy, to be spread into the mapping of what they protect. */
export const policyParts = { rateLimit: rateLimit('for all clients of an endpoint').optional(), ...parts };

/** How the agent looks after the origin of a tunnel. */
export const healthPart = z
  .strictObject({
    path: leaf(urlPath(), 'Path of a GET that must be answered with a status below 400 (default only connects).'),
    interval: leaf(duration(100), 'Time between looks.', '10s'),
    timeout: leaf(duration(10), 'Time for one look.', '5s'),
    unhealthyAfter: leaf(count(1, 1000), 'Failed looks in a row after which the origin is down.', '2'),
    healthyAfter: leaf(count(1, 1000), 'Good looks in a row after which it is up again.', '1'),
  })
  .optional()
  .describe(
    'Health check of the service; while it fails, other agents of the endpoint are preferred (default: requests tell when it cannot be reached).',
  );

/** Parts of the section `server` about protection. */
export const serverPolicyParts = {
  defaults: z
    .strictObject({
      rateLimit: z
        .strictObject({ rpm: edgeSettings.rateLimitRpm.leaf, burst: edgeSettings.rateLimitBurst.leaf, announce })
        .optional()
        .describe('Rate limit for all clients of an endpoint. The built-in one is told only to those it refuses.'),
      ...parts,
    })
    .optional()
    .describe('What protects every endpoint. An agent can only make it stricter.'),
  policies: z
    .array(
      z.strictObject({
        endpoints: leaf(list(token('*, a host, or *. and a name')), 'Endpoints that this is about.').nonoptional({
          error: 'a list of endpoints',
        }),
        ...policyParts,
      }),
    )
    .optional()
    .describe('In place of the defaults, part by part, for some endpoints; the first entry that names one counts.'),
  clientRateLimit: rateLimit('for each client address over all endpoints, unknown ones included').optional(),
  maxConnectionsPerClient: leaf(
    count(0, 1_000_000),
    'Connections of one client address at once, then 429; 0 is no limit. Those of trusted proxies do not count.',
    '0',
  ),
  allowAddresses: leaf(list(network()), 'Only clients at these addresses are admitted, others get 403 (default all).'),
  denyAddresses: leaf(list(network()), 'Clients at these addresses get 403.', ''),
  proxyProtocol: leaf(
    list(network()),
    'Load balancers whose connections must begin with a PROXY protocol header, version 1 or 2.',
    '',
  ),
};

const policySchema = z.strictObject(policyParts);
const serverPolicySchema = z.strictObject(serverPolicyParts);

/** A policy as a file writes it. */
export type FilePolicy = z.output<typeof policySchema>;
/** The parts of the section `server` about protection. */
export type FileServerPolicy = z.output<typeof serverPolicySchema>;
/** A health check as a file writes it. */
export type FileHealth = NonNullable<z.output<typeof healthPart>>;
