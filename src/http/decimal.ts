/**
 * Numbers as HTTP and the frames write them: `1*DIGIT` (RFC 5234 appendix B.1), and nothing else that Number() takes.
 */

const zero = 0x30;

/** Returns the number that a text of digits says; NaN for any other text. Above 2^53 - 1 it is not exact, but above that. */
export function decimal(text: string): number {
  if (text === '') return Number.NaN;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - zero;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
