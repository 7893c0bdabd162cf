/**
 * Makes text from elsewhere (an agent, an edge, a path, an error) fit to be shown to a person.
 *
 * A terminal obeys control characters, and a log reader believes line ends: neither may come from the network.
 */
import { redactedText } from '../../config/secret.ts';

// C0, DEL and C1; line and paragraph separators; the marks that reverse the direction of writing.
const unprintable = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' };

// Agent tokens and admin tokens: 32 bytes in base64url behind their prefix, or a part of one.
// JSON Web Tokens. Values of Authorization. Hashes of passwords. Users of URLs, who may have a password behind a colon.
const secret =
  /(?<=:\/\/)[^/?#\s"'<>]+(?=@)|\bgr[af]_[A-Za-z0-9_-]{8,}|\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*|\b(?:Basic|Bearer) +(?=[a-z+/._~-]*[0-9A-Z=])[A-Za-z0-9+/._~-]{8,}={0,2}|\$scrypt\$[^\s"']+/g;

/** Returns `text` with every control character written as an escape, so that it stays on its line. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return named[character] ?? `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Returns `text` with whatever looks like a token or a password replaced. */
export function redacted(text: string): string {
  return text.replace(secret, redactedText);
}

/** Returns `text` as people are told it: {@link printable}, and {@link redacted}. */
export function told(text: string): string {
  return printable(redacted(text));
}
