/**
 * What a routing rule looks at: its schema, and whether a request fits. All that is given must fit; of a list, one.
 */
import * as z from 'zod';
import type { RoutingRequest } from '../../extension/index.ts';
import { fieldValues } from '../../http/field-line.ts';
import { isToken } from '../../http/head-syntax.ts';
import { createNetworkTest, isNetwork } from '../../http/ip-network.ts';
import { fitsWildcard } from './wildcard.ts';

/** The part `when` of a rule. */
export const conditionSchema = z
  .strictObject({
    hosts: z
      .array(z.string().min(1))
      .optional()
      .describe('Hosts of endpoints; * stands for any characters, as in *.example.com.'),
    paths: z
      .array(z.string().regex(/^[/*]/, 'a path that begins with /'))
      .optional()
      .describe('Paths, without query: with a * a pattern for the whole path, without one a prefix.'),
    methods: z.array(z.string().refine(isToken, 'a method such as GET')).optional().describe('Methods.'),
    headers: z
      .record(z.string().refine(isToken, 'the name of a header field'), z.string())
      .optional()
      .describe(
        'Header fields and what one of their values must be; * stands for any characters, alone for any value.',
      ),
    clients: z
      .array(z.string().refine(isNetwork, 'an address such as 192.0.2.7 or a network such as 10.0.0.0/8'))
      .optional()
      .describe('Addresses and networks of clients.'),
  })
  .describe('What a request must be like; without anything, every request is.');

/** The part `when` of a rule, as written. */
export type Condition = z.output<typeof conditionSchema>;

/** One thing that a request must be like. Returns what fits, in words; undefined when it does not. */
export type Check = (request: RoutingRequest) => string | undefined;

/** Returns the checks of a condition. A request fits when every one returns something. */
export function checksOf({ hosts, paths, methods, headers, clients }: Condition): Check[] {
  const checks: (Check | undefined)[] = [
    hosts && hostCheck(hosts.map((host) => host.toLowerCase())),
    methods && methodCheck(methods.map((method) => method.toUpperCase())),
    paths && pathCheck(paths),
    ...Object.entries(headers ?? {}).map(([name, pattern]) => headerCheck(name, pattern)),
    clients && clientCheck(clients),
  ];
  return checks.filter((check) => check !== undefined);
}

function hostCheck(hosts: readonly string[]): Check {
  return ({ host }) => {
    const found = hosts.find((pattern) => fitsWildcard(host, pattern));
    return found && `host ${host} is ${found}`;
  };
}

function methodCheck(methods: readonly string[]): Check {
  return ({ method }) => (methods.includes(method) ? `method is ${method}` : undefined);
}

function pathCheck(paths: readonly string[]): Check {
  return ({ path }) => {
    const found = paths.find((one) => (one.includes('*') ? fitsWildcard(path, one) : path.startsWith(one)));
    return found && `path ${found.includes('*') ? 'fits' : 'begins with'} ${found}`;
  };
}

function headerCheck(name: string, pattern: string): Check {
  const lowerName = name.toLowerCase();
  return ({ fields }) =>
    fieldValues(fields, lowerName).some((value) => fitsWildcard(value, pattern))
      ? `field ${name} fits ${pattern}`
      : undefined;
}

function clientCheck(clients: readonly string[]): Check {
  const isInside = createNetworkTest(clients);
  return ({ clientAddress }) =>
    isInside(clientAddress) ? `client ${clientAddress} is in ${clients.join(', ')}` : undefined;
}
