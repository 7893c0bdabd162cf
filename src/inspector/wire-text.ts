/** Heads are octets, which giraffe holds as latin1, one character per octet. People mean UTF-8 nearly always. Pure. */

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Returns text of a head as people read it: UTF-8 where it is valid, else latin1. */
export function readableText(wire: string): string {
  if (!/[\x80-\xff]/.test(wire)) return wire;
  try {
    return strictUtf8.decode(Buffer.from(wire, 'latin1'));
  } catch {
    return wire;
  }
}

/** Returns text that somebody wrote as it goes into a head: the octets of its UTF-8. */
export function wireText(text: string): string {
  return Buffer.from(text).toString('latin1');
}
