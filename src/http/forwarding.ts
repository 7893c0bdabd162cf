/**
 * Prepares heads for the next hop: what is hop-by-hop goes, what the edge knows about the client comes in.
 *
 * What a client claims about itself is believed only when it is a trusted proxy. Framing is carried by `body`.
 */
import { type FieldLine, type FieldLines, fieldValues, isNamed, listMembers } from './field-line.ts';
import { FieldNames } from './field-names.ts';
import { appendedForwarded, convertedForwarded, forwardedElement, plainAddress } from './forwarded.ts';
import { forwardableResponseFields, isHopByHop, listedFields } from './hop-by-hop.ts';
import type { RequestHead, ResponseHead } from './message.ts';

/** What the edge knows about the client from its own socket. */
export interface ClientFacts {
  /** IP address of the peer, without brackets; an IPv4-mapped one is written as IPv4. */
  readonly address: string;
  /** Port of the peer, 1 to 65535. It stays in the edge: X-Forwarded-Port is the port that the request is for. */
  readonly port: number;
  readonly scheme: 'http' | 'https';
  /** Version of HTTP that the client speaks, as Via has it, where that is not the one in the head. */
  readonly version?: '2' | undefined;
  /** Whether what this peer says about clients behind it is believed. */
  readonly isTrustedProxy: boolean;
}

/**
 * Returns the head to send towards the origin.
 *
 * The client's copy loses hop-by-hop fields and those that its Connection names first, so that no Connection option
 * can strip what is added here. Order and case of all other lines stay.
 *
 * @param via Pseudonym of this edge.
 * @param requestId Passed {@link isValidRequestId}.
 * @throws {TooManyConnectionOptionsError} GIR_ERR_REQUEST_INVALID for more than 16 connection options.
 * @see RFC 9110 section 7.6 (Message Forwarding), RFC 7239 section 4 (Forwarded)
 */
export function forwardedRequest(head: RequestHead, facts: ClientFacts, via: string, requestId: string): RequestHead {
  const listed = listedFields(head.fields);
  const fields: FieldLine[] = [];
  let hasRequestId = false;
  let hasTrailerOffer = false;
  for (const field of head.fields) {
    const [name] = field;
    // An HTTP/1.0 client waits for no 100, and its expectation is to be ignored (RFC 9110 section 10.1.1).
    if (head.minorVersion === 0 && isNamed(name, 'expect')) continue;
    if (isNamed(name, 'te')) {
      if (!hasTrailerOffer && offersTrailers(head.fields)) fields.push(trailerOffer);
      hasTrailerOffer = true;
    } else if (isNamed(name, 'x-request-id')) {
      if (!hasRequestId) fields.push([name, requestId]);
      hasRequestId = true;
    } else if (!isHopByHop(name, listed) && !isClientClaim(name, facts)) {
      fields.push(field);
    }
  }
  addClientFacts(fields, head.fields, facts);
  fields.push(['Via', `${facts.version ?? `1.${head.minorVersion}`} ${via}`]);
  if (!hasRequestId) fields.push(['X-Request-Id', requestId]);
  return { ...head, fields };
}

/**
 * Returns the head to send towards the client, for 1xx and final responses alike.
 *
 * @param via Pseudonym of this edge.
 * @throws {TooManyConnectionOptionsError} GIR_ERR_ORIGIN_PROTOCOL for more than 16 connection options.
 */
export function forwardedResponse(head: ResponseHead, via: string): ResponseHead {
  const fields = forwardableResponseFields(head);
  fields.push(['Via', `1.${head.minorVersion} ${via}`]);
  return { ...head, fields };
}

/**
 * Says whether a message has passed this edge already.
 *
 * @param via Pseudonym of this edge, compared without regard to case.
 * @see RFC 9110 section 7.6.3 (Via)
 */
export function passesVia(fields: FieldLines, via: string): boolean {
  const pseudonym = via.toLowerCase();
  return listMembers(fields, 'via').some((member) => member.split(/[ \t]+/, 2)[1] === pseudonym);
}

/** Says whether a request id may be taken over: 1 to 128 letters, digits and characters of `._~:@/+=-`. */
export function isValidRequestId(text: string): boolean {
  return /^[A-Za-z0-9._~:@/+=-]{1,128}$/.test(text);
}

const trailerOffer: FieldLine = ['TE', 'trailers'];

function offersTrailers(fields: FieldLines): boolean {
  return listMembers(fields, 'te').includes('trailers');
}

// Lines that the edge writes itself, over or behind what the client sent.
const claimedFacts = new FieldNames([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
]);

/** Says whether a line claims what addClientFacts() tells, also in the spelling with `_` that CGI origins confuse. */
function isClientClaim(name: string, facts: ClientFacts): boolean {
  if (claimedFacts.has(name)) return !facts.isTrustedProxy || !isNamed(name, 'x-real-ip');
  return claimedFacts.hasAlike(name);
}

function addClientFacts(fields: FieldLine[], claims: FieldLines, facts: ClientFacts): void {
  const address = plainAddress(facts.address);
  const [host] = fieldValues(claims, 'host');
  const own = forwardedElement(address, host, facts.scheme);
  if (facts.isTrustedProxy) return addProxiedFacts(fields, claims, facts, { address, host, own });

  fields.push(['X-Forwarded-For', address]);
  if (host !== undefined) fields.push(['X-Forwarded-Host', host]);
  fields.push(['X-Forwarded-Proto', facts.scheme], ['X-Forwarded-Port', publicPort(host, facts.scheme)]);
  fields.push(['Forwarded', own]);
  if (fieldValues(claims, 'x-real-ip').length !== 0) fields.push(['X-Real-IP', address]);
}

/** Adds what the edge knows to what a trusted proxy says about the client behind it. */
function addProxiedFacts(
  fields: FieldLine[],
  claims: FieldLines,
  facts: ClientFacts,
  own: { address: string; host: string | undefined; own: string },
): void {
  const addresses = fieldValues(claims, 'x-forwarded-for').filter((value) => value !== '');
  const [host = own.host] = fieldValues(claims, 'x-forwarded-host');
  const [scheme = facts.scheme] = fieldValues(claims, 'x-forwarded-proto');
  const [port = publicPort(host, scheme)] = fieldValues(claims, 'x-forwarded-port');
  fields.push(['X-Forwarded-For', [...addresses, own.address].join(', ')]);
  if (host !== undefined) fields.push(['X-Forwarded-Host', host]);
  fields.push(['X-Forwarded-Proto', scheme], ['X-Forwarded-Port', port]);

  const forwarded = fieldValues(claims, 'forwarded');
  const earlier = forwarded.length === 0 ? convertedForwarded(addresses, host, scheme) : forwarded;
  fields.push(['Forwarded', appendedForwarded(earlier, own.own)]);
}

/** Returns the port in a Host value, or else the default one of the scheme. */
function publicPort(host: string | undefined, scheme: string): string {
  const written = /^(?:\[[^\]]*\]|[^:]*):([0-9]+)$/.exec(host ?? '')?.[1];
  return written ?? (scheme === 'https' ? '443' : '80');
}
