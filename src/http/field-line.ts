/**
 * Header and trailer sections as ordered lists of lines, and how to look things up in them.
 *
 * Never a map: repeated lines, their order and their case are part of the message.
 */

/** One field line as received: the name in its original case, and the value without outer white space. */
export type FieldLine = readonly [name: string, value: string];

/** A header or trailer section. Text is latin1: one character per octet on the wire. */
export type FieldLines = readonly FieldLine[];

/** Says whether a field has this name, which must be lower case. */
export function isNamed(fieldName: string, name: string): boolean {
  return fieldName.length === name.length && fieldName.toLowerCase() === name;
}

/** Returns the values of all lines with this name, in order. `name` must be lower case. */
export function fieldValues(fields: FieldLines, name: string): string[] {
  const values: string[] = [];
  for (const [fieldName, value] of fields) {
    if (isNamed(fieldName, name)) values.push(value);
  }
  return values;
}

/** Returns the members of a comma-separated list field, over all its lines, in lower case and without empty ones. */
export function listMembers(fields: FieldLines, name: string): string[] {
  const members: string[] = [];
  for (const [fieldName, value] of fields) {
    if (isNamed(fieldName, name)) addMembers(members, value.toLowerCase());
  }
  return members;
}

function addMembers(members: string[], list: string): void {
  let start = 0;
  while (start <= list.length) {
    const comma = list.indexOf(',', start);
    const end = comma === -1 ? list.length : comma;
    const member = list.slice(start, end).trim();
    if (member !== '') members.push(member);
    start = end + 1;
  }
}
