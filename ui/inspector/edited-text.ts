/** Gives a text that was edited in a text field the line ends back that such a field takes away. Pure. */

const lineEnd = /\r\n|\r|\n/g;

/** Returns a text as a text field has it. */
export function inTextField(text: string): string {
  return text.replaceAll(lineEnd, '\n');
}

/**
 * Returns `edited`, whose lines end with LF, with the line ends of `recorded` before and behind what was changed; new lines
 * end with CRLF if any of the recorded text does. A form with parts (RFC 2046 section 5.1.1) is none without them.
 */
export function withLineEnds(recorded: string, edited: string): string {
  if (!recorded.includes('\r')) return edited;
  const ends = recorded.match(lineEnd) ?? [];
  const before = recorded.split(lineEnd);
  const after = edited.split('\n');
  const least = Math.min(before.length, after.length);
  let same = 0;
  while (same < least && before[same] === after[same]) same += 1;
  let sameAtEnd = 0;
  while (sameAtEnd < least - same && before.at(-1 - sameAtEnd) === after.at(-1 - sameAtEnd)) sameAtEnd += 1;
  const endOf = (line: number): string | undefined => {
    const left = after.length - 1 - line;
    if (left === 0) return '';
    if (line < same) return ends[line];
    return left <= sameAtEnd ? ends.at(-left) : undefined;
  };
  return after.map((text, line) => text + (endOf(line) ?? '\r\n')).join('');
}
