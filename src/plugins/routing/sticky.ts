/**
 * The routing strategy `sticky`: whoever shows the same cookie, or the same value of a header field, gets the same agent.
 *
 * The edge remembers nobody. Each agent gets a score from its id and the visitor's key, and the highest one serves
 * (rendezvous hashing): when an agent leaves, only its own visitors move.
 */
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import {
  type Candidate,
  defineExtension,
  extensionApiVersion,
  type NonEmpty,
  type RoutingRequest,
  type RoutingStrategy,
} from '../../extension/index.ts';
import { fieldValues } from '../../http/field-line.ts';
import { isToken } from '../../http/head-syntax.ts';
import { leastInFlight, onePerAgent, usualTransport } from './preference.ts';

const optionsSchema = z.strictObject({
  by: z
    .enum(['cookie', 'header'])
    .default('cookie')
    .describe(
      'Where the key of a visitor is: in a cookie, which the edge sets when there is none, or in a header field.',
    ),
  name: z
    .string()
    .max(100)
    .refine(isToken, 'the name of a cookie or header field')
    .default('giraffe_agent')
    .describe('Name of the cookie or of the header field.'),
  secure: z
    .boolean()
    .default(false)
    .describe('Whether browsers send the cookie over HTTPS alone; for edges behind a proxy that ends TLS.'),
});

/** Options of the strategy, defaults filled in. */
export type StickyOptions = z.output<typeof optionsSchema>;

/** Longer keys are none: they are not ours, and hashing them costs. */
const maxKeyLength = 200;

/** Creates the strategy. */
export function createStickyStrategy({ by, name, secure }: StickyOptions): RoutingStrategy {
  const keyOf = by === 'cookie' ? cookieReader(name) : headerReader(name.toLowerCase());
  let turn = 0;
  return {
    select(candidates, request) {
      const transport = usualTransport(request);
      const key = keyOf(request);
      if (key !== undefined) return { candidate: highest(onePerAgent(candidates, transport), key) };
      turn = (turn + 1) % candidates.length;
      if (by === 'header') return { candidate: leastInFlight(candidates, transport, turn) };
      const fresh = randomBytes(12).toString('base64url');
      const cookie = `${name}=${fresh}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
      const candidate = highest(onePerAgent(candidates, transport), fresh);
      return { candidate, responseFields: [['Set-Cookie', cookie]] };
    },
    explain(request) {
      const source = `${by === 'cookie' ? 'the cookie' : 'the field'} ${name}`;
      if (keyOf(request) !== undefined) return `the agent that belongs to the value of ${source}`;
      return by === 'cookie'
        ? `any agent: there is no cookie ${name} yet, so one is set`
        : `the healthy agent with the fewest exchanges in flight, because the request has no field ${name}`;
    },
  };
}

type KeyReader = (request: RoutingRequest) => string | undefined;

function headerReader(name: string): KeyReader {
  return ({ fields }) => usable(fieldValues(fields, name)[0]);
}

function cookieReader(name: string): KeyReader {
  const start = `${name}=`;
  return ({ fields }) => {
    for (const line of fieldValues(fields, 'cookie')) {
      for (const part of line.split(';')) {
        const pair = part.trim();
        if (pair.startsWith(start)) return usable(pair.slice(start.length));
      }
    }
    return undefined;
  };
}

function usable(key: string | undefined): string | undefined {
  return key === undefined || key === '' || key.length > maxKeyLength ? undefined : key;
}

function highest(agents: NonEmpty<Candidate>, key: string): Candidate {
  let chosen = agents[0];
  let best = -1;
  for (const agent of agents) {
    const score = scoreOf(agent.agentId, key);
    if (score <= best) continue;
    best = score;
    chosen = agent;
  }
  return chosen;
}

/** FNV-1a with the last mixing steps of MurmurHash3, so that keys that differ in their end alone still scatter. */
function scoreOf(agentId: string, key: string): number {
  const text = `${agentId} ${key}`;
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The strategy as an extension. */
export const sticky = defineExtension({
  apiVersion: extensionApiVersion,
  kind: 'routing-strategy',
  name: 'sticky',
  summary: 'The same agent for the same visitor, by a cookie or a header field.',
  options: optionsSchema,
  create: async (options) => createStickyStrategy(options),
});
