/**
 * Decides which requests ask for another protocol in a way that giraffe passes on.
 */
import { fieldValues, listMembers } from './field-line.ts';
import { isBodyEmpty, type RequestHead } from './message.ts';

/**
 * Returns the value of Upgrade as sent, when the request is one to be spliced if the origin agrees; otherwise
 * undefined, and the request goes on as an ordinary one without Upgrade, which RFC 9110 allows at any time.
 *
 * Never for HTTP or TLS themselves (`h2c`, `HTTP/2.0`, `TLS/1.0`): after such a 101 further *requests* would flow
 * through the splice, past routing, past the rules for forwarded fields and past every check of the edge (h2c smuggling).
 * One such token in a list is enough, since the origin would choose. Neither for a request with a body, whose end
 * and the first octet of the new protocol could be taken for one another.
 *
 * @see RFC 9110 section 7.8 (Upgrade)
 */
export function requestedUpgrade(head: RequestHead): string | undefined {
  if (head.minorVersion === 0 || !isBodyEmpty(head)) return undefined;
  const offered = listMembers(head.fields, 'upgrade');
  if (offered.length === 0 || offered.some(carriesRequests)) return undefined;
  if (!listMembers(head.fields, 'connection').includes('upgrade')) return undefined;
  return fieldValues(head.fields, 'upgrade').join(', ');
}

/** Says whether a protocol, in lower case, is one in which a client could send further HTTP requests. */
function carriesRequests(protocol: string): boolean {
  return /^(?:h2c?|h3|https?|tls)(?:$|\/)/.test(protocol);
}
