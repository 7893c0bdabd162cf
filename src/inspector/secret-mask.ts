/**
 * Hides secrets in what leaves the inspector: values of fields and of query parameters whose names say so. Pure.
 *
 * Bodies are not looked into. Someone who edits a masked request sends masks back, and gets the recorded values for them.
 */
import type { FieldLine, FieldLines } from '../http/field-line.ts';

/** Stands for a value that is not shown. */
const mask = '[masked]';

const credentialFields = new Set(['authorization', 'proxy-authorization', 'x-authorization', 'x-auth']);
/** Fields whose value holds a URL. */
const urlFields = new Set(['location', 'referer', 'content-location', 'refresh', 'link']);
/** Part of a handshake that everybody may see (RFC 6455 section 4). */
const publicFields = new Set(['sec-websocket-key']);
/** The last word of a name: `token`, `access_token`, `X-Api-Key`, `accessToken`, `user[password]`; not `monkey`. */
const secretName =
  /(?:^|[-_.[])(?:token|key|apikey|secret|password|passwd|pwd|passphrase|signature|sig|session|sessionid|jwt|code|credentials?)\]?$/;

/** Returns field lines with secret values masked; the rest as it is. */
export function maskedFields(fields: FieldLines): FieldLine[] {
  return fields.map(([name, value]): FieldLine => [name, maskedValue(name, value)]);
}

/** Returns a request target or a URL with secret values of its query masked. @param instead What stands for one. */
export function maskedTarget(target: string, instead = mask): string {
  return target.replace(/([?&;#])([^=&;#?\s]+)=([^&;#\s>"]*)/g, (whole, before: string, name: string, value: string) =>
    value !== '' && isSecret(decoded(name)) ? `${before}${name}=${instead}` : whole,
  );
}

/**
 * Returns edited field lines with masks replaced by what was recorded; undefined when a mask is left for which nothing
 * was recorded.
 */
export function unmaskedFields(edited: FieldLines, recorded: FieldLines): FieldLine[] | undefined {
  const masked = maskedFields(recorded);
  const used = new Set<number>();
  const restored = edited.map(([name, value]): FieldLine => {
    if (!value.includes(mask)) return [name, value];
    const at = masked.findIndex(
      (line, index) => !used.has(index) && line[0].toLowerCase() === name.toLowerCase() && line[1] === value,
    );
    used.add(at);
    return [name, recorded[at]?.[1] ?? value];
  });
  return restored.some(([, value]) => value.includes(mask)) ? undefined : restored;
}

/** As {@link unmaskedFields}, for a target: each masked parameter gets the recorded value of its name. */
export function unmaskedTarget(edited: string, recorded: string): string | undefined {
  const values = new Map<string, string[]>();
  for (const [, name = '', value = ''] of recorded.matchAll(/[?&;#]([^=&;#?]+)=([^&;#]*)/g)) {
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  const restored = edited.replaceAll(/([?&;#])([^=&;#?]+)=\[masked\]/g, (whole, before: string, name: string) => {
    const value = values.get(name)?.shift();
    return value === undefined ? whole : `${before}${name}=${value}`;
  });
  return restored.includes(mask) ? undefined : restored;
}

function maskedValue(fieldName: string, value: string): string {
  const name = fieldName.toLowerCase();
  if (credentialFields.has(name)) return value.replace(/^(\S+)(\s+)\S.*$/, `$1$2${mask}`).replace(/^\S+$/, mask);
  if (name === 'cookie') return value.replace(/=[^;]+/g, `=${mask}`);
  if (name === 'set-cookie') return value.replace(/^([^=;]*=)[^;]*/, `$1${mask}`);
  if (urlFields.has(name)) return maskedTarget(value.replace(/:\/\/[^/?#@\s]+@/g, `://${mask}@`));
  return isSecret(fieldName) && !publicFields.has(name) ? mask : value;
}

function isSecret(name: string): boolean {
  return secretName.test(name.replace(/([a-z0-9])(?=[A-Z])/g, '$1-').toLowerCase());
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
