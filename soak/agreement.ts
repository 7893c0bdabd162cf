/** What the work of a soak and its origin have agreed on, besides octets.ts. */

/** Field that names what a POST to /count does. */
export const workNameField = 'x-work-name';

/** The event of a number in the answer of /events. */
export function eventText(number: number): string {
  return `data: ${number}\n\n`;
}
