/**
 * Patterns with `*` for any run of characters. Linear in the text for each star, whatever the pattern: no regular
 * expression, because the text is a stranger's.
 */

/** Tells whether the whole of `text` fits a pattern. */
export function fitsWildcard(text: string, pattern: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let resumeAt = 0;
  while (at < text.length) {
    if (pattern[place] === '*') {
      star = place;
      resumeAt = at;
      place += 1;
    } else if (place < pattern.length && pattern[place] === text[at]) {
      at += 1;
      place += 1;
    } else if (star !== -1) {
      resumeAt += 1;
      at = resumeAt;
      place = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[place] === '*') place += 1;
  return place === pattern.length;
}
