/**
 * Prepares heads at the agent: requests for the origin, and answers for the edge. Pure.
 *
 * What is known about the client, Via and request ids is the edge's business; it has been added or will be.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { type FieldLine, type FieldLines, fieldValues, isNamed, listMembers } from '../http/field-line.ts';
import { assertForwardableRequestHead } from '../http/field-validation.ts';
import { forwardableResponseFields } from '../http/hop-by-hop.ts';
import type { RequestHead, ResponseHead } from '../http/message.ts';
import type { OpenRequest } from '../protocol/head-codec.ts';
import type { HostTranslation } from './host-translation.ts';

/** How the Host of one request is made: the client's, translated, or a fixed one. */
export type HostRule = 'preserve' | HostTranslation | { readonly value: string };

/**
 * Returns the head to write to the origin. It is checked, since the edge is not trusted either.
 *
 * @throws {GiraffeError} GIR_ERR_PROTOCOL when it could be read in two ways or hides a line break.
 */
export function originRequestHead(request: OpenRequest, host: HostRule): RequestHead {
  const { head, upgrade } = request;
  const hosted = hostedFields(namedFields(request), host);
  const fields: FieldLines = upgrade === undefined ? hosted : [...hosted, ['Upgrade', upgrade]];
  const prepared = fields === head.fields ? head : { ...head, fields };
  assertForwardableRequestHead(prepared);
  return prepared;
}

/**
 * Returns the value of Connection for a request to the origin, undefined for none.
 *
 * @see RFC 9110 section 10.1.4 (TE): who sends TE names it in Connection.
 */
export function originConnection(head: RequestHead, upgrade: string | undefined): string | undefined {
  const hasTe = head.fields.some(([name]) => isNamed(name, 'te'));
  if (upgrade !== undefined) return hasTe ? 'Upgrade, TE' : 'Upgrade';
  return hasTe ? 'TE' : undefined;
}

/**
 * Returns an answer of the origin, 1xx or final, as the edge gets it: without what belongs to the origin's connection.
 *
 * @throws {GiraffeError} GIR_ERR_ORIGIN_PROTOCOL for more connection options than giraffe honours.
 */
export function edgeResponseHead(head: ResponseHead, host: HostRule): ResponseHead {
  const fields = forwardableResponseFields(head);
  return { ...head, fields: isTranslation(host) ? host.response(fields) : fields };
}

/**
 * Returns a 101 as the edge gets it, as other answers, if its Upgrade says something that was offered.
 *
 * @param offered The protocols of the request's Upgrade; undefined when it had none.
 * @throws {GiraffeError} GIR_ERR_UPGRADE_FAILED when nothing was offered, or the origin chose something else.
 * @see RFC 9110 section 7.8 (Upgrade)
 */
export function edgeSwitchHead(head: ResponseHead, offered: string | undefined, host: HostRule): ResponseHead {
  if (offered === undefined) throw new GiraffeError('GIR_ERR_UPGRADE_FAILED', 'a 101 that nobody asked for');
  const choices = fieldValues(head.fields, 'upgrade');
  if (!isAmong(choices, offered)) {
    const chosen = choices.length === 0 ? 'a 101 without Upgrade' : `a 101 to ${JSON.stringify(choices.join(', '))}`;
    throw new GiraffeError('GIR_ERR_UPGRADE_FAILED', `${chosen}, where ${JSON.stringify(offered)} was offered`);
  }
  return edgeResponseHead(head, host);
}

/** Says whether all protocols chosen were offered. Their names count; versions behind `/` may differ. */
function isAmong(choices: readonly string[], offered: string): boolean {
  const names = protocolNames([['Upgrade', offered]]);
  const chosen = protocolNames(choices.map((choice): FieldLine => ['Upgrade', choice]));
  return chosen.length > 0 && chosen.every((name) => names.includes(name));
}

function protocolNames(fields: FieldLines): string[] {
  return listMembers(fields, 'upgrade').map((protocol) => protocol.split('/', 1)[0] ?? protocol);
}

function hostedFields(fields: FieldLines, host: HostRule): FieldLines {
  if (host === 'preserve') return fields;
  return isTranslation(host) ? host.request(fields) : withHost(fields, host.value);
}

function isTranslation(host: HostRule): host is HostTranslation {
  return typeof host === 'object' && 'response' in host;
}

/** An HTTP/1.0 client may leave Host out; the request goes on as HTTP/1.1, which may not (RFC 9112 section 3.2). */
function namedFields({ head, endpoint }: OpenRequest): FieldLines {
  if (head.minorVersion === 1 || fieldValues(head.fields, 'host').length > 0) return head.fields;
  return [['Host', endpoint], ...head.fields];
}

/** Replaces the value of Host where it stands; a request without one gets it in front. */
function withHost(fields: FieldLines, value: string): FieldLines {
  const at = fields.findIndex(([name]) => name.toLowerCase() === 'host');
  if (at === -1) return [['Host', value], ...fields];
  return fields.map((field, index): FieldLine => (index === at ? [field[0], value] : field));
}
