/** Lays text out for people in lines of a width. Pure; a word longer than a line stays whole. */

/** Returns a text in lines of at most `width` characters, broken at spaces. */
export function filled(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** Where two columns stand, in characters. */
export interface ColumnLayout {
  readonly indent: number;
  /** Width of the first column, with the space behind it. */
  readonly first: number;
  /** Width of the whole. */
  readonly width: number;
}

/** Returns a label and a text beside it, as lines; a label too long for its column has a line of its own. */
export function columns(label: string, text: string, { indent, first, width }: ColumnLayout): string[] {
  const margin = ' '.repeat(indent);
  const hanging = ' '.repeat(indent + first);
  const lines = filled(text, width - indent - first);
  const isLong = label.length >= first;
  const head = isLong ? [`${margin}${label}`] : [];
  return [
    ...head,
    ...lines.map((line, index) => `${index === 0 && !isLong ? margin + label.padEnd(first) : hanging}${line}`),
  ];
}
