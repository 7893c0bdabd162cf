/** Says in words what OpenSSL says in a form of its own, with an address in memory and a line of its source. Pure. */

/** Its reasons for octets that are no TLS at all: the other side speaks plain HTTP, or something else. */
const noTls = /wrong version number|packet length too long|record layer failure|unknown protocol|http request/;

/** Returns the message of a failed TLS connection for people; any other one as it is. */
export function withoutOpensslForm(message: string): string {
  const reason = /error:[0-9A-F]{6,8}:[^:]*:[^:]*:([^:]+):/.exec(message)?.[1];
  if (reason === undefined) return message;
  if (noTls.test(reason)) return `what listens there does not speak TLS (${reason})`;
  if (reason.endsWith('no application protocol')) return 'what listens there speaks TLS, but another protocol over it';
  return `TLS failed (${reason})`;
}
