/** Writes HTML and SVG as text. Pure; whatever comes from outside goes through {@link escaped}. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Returns text that no browser takes for markup. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

/** A number for an attribute: at most two digits behind the point. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** A share as a percentage for an attribute. */
export function percentage(share: number): string {
  return `${coordinate(share * 100)}%`;
}
