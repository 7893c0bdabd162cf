/** The section `tunnels` of the configuration file: what `giraffe tunnel` opens, by name. */
import * as z from 'zod';
import { agentSettings } from '../agent-settings.ts';
import { fileLeaf, type LeafMeta } from '../file-leaf.ts';
import { endpointHost, serviceTarget } from '../units.ts';
import { healthPart, policyParts } from './policy.ts';

const meta: LeafMeta = { env: undefined, flag: undefined, secret: false, defaultText: undefined, reload: 'live' };

/** `giraffe tunnel NAME` would run the command instead. */
const commandNames: readonly string[] = ['list', 'stop'];

/** Names begin with a letter and have no colon, so that none of them can be a target. */
const tunnelName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, 'a name that begins with a letter and has letters, digits, - and _');

const tunnel = z
  .strictObject({
    domain: fileLeaf(
      endpointHost(),
      'Host name of the endpoint (default a memorable name under the base domain of the edge).',
      meta,
    ),
    target: fileLeaf(
      serviceTarget(),
      'The service: a port, host:port, an http:// or https:// URL, or unix:/path.',
      meta,
    ).nonoptional({ error: 'a target such as 3000 or http://127.0.0.1:3000' }),
    targets: z
      .record(
        tunnelName,
        fileLeaf(
          serviceTarget(),
          'Another service of the endpoint: a port, host:port, a URL, or unix:/path.',
          meta,
        ).nonoptional({ error: 'a target such as 3000 or http://127.0.0.1:3000' }),
      )
      .optional()
      .describe('Other services of the endpoint, by the name with which a routing rule of the edge can ask for one.'),
    hostHeader: fileLeaf(
      agentSettings.hostHeader.schema,
      "Host that the service sees: preserve (the client's), rewrite (the target's own), auto, or a fixed one (default that of the section agent).",
      meta,
    ),
    originCa: fileLeaf(
      agentSettings.originCa.schema,
      'PEM file with the CA of an https service, or with its own certificate if it is self-signed (default that of the section agent).',
      meta,
    ),
    originServerName: fileLeaf(
      agentSettings.originServerName.schema,
      'Name that the certificate of an https service is for (default that of the section agent, else its host).',
      meta,
    ),
    originInsecure: fileLeaf(
      agentSettings.originInsecure.schema,
      'Do not verify the certificate of an https service (default that of the section agent).',
      meta,
    ),
    health: healthPart,
    ...policyParts,
  })
  .describe('One endpoint and the service behind it.');

/** One tunnel of the file. */
export type FileTunnel = z.output<typeof tunnel>;

/** Endpoints that one session can serve. */
const maxTunnels = 100;

/** Schema of the section. */
export const tunnelsSection = z
  .record(
    tunnelName.refine((name) => !commandNames.includes(name), 'a name other than list and stop, which are commands'),
    tunnel,
  )
  .refine((tunnels) => Object.keys(tunnels).length <= maxTunnels, `at most ${maxTunnels} tunnels`)
  .superRefine((tunnels, context) => {
    const first = new Map<string, string>();
    for (const [name, { domain }] of Object.entries(tunnels)) {
      const other = domain === undefined ? undefined : first.get(domain);
      if (domain !== undefined && other === undefined) first.set(domain, name);
      if (other === undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [name, 'domain'],
        message: `a domain that tunnels.${other} does not have`,
      });
    }
  })
  .describe('Tunnels that `giraffe tunnel` opens, by a name of your choice; `giraffe tunnel NAME` opens one of them.');
