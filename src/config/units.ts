/**
 * Schemas that turn what people write in a setting into a number or a checked text.
 *
 * Pure. Each one's message says what is accepted, because a person reads it next
 * to the name of the setting and the value that was refused.
 */
import { isIPv6 } from 'node:net';
import * as z from 'zod';
import { parseAuthority } from '../http/authority.ts';
import { isOriginPattern } from '../http/browser-origin.ts';
import { isToken } from '../http/head-syntax.ts';
import { isNetwork } from '../http/ip-network.ts';
import { parseTarget, type Target } from '../http/target.ts';
import { Secret } from './secret.ts';

/** What a value of a setting is read from: the text of a flag or of an environment variable. */
export type TextSchema<T> = z.ZodType<T, string>;

const millisecondsPer: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** The longest time setTimeout can wait, 2^31 - 1 ms; a longer one would fire at once. */
const maxDurationMs = 2_147_483_647;

const bytesPer: Readonly<Record<string, number>> = { '': 1, b: 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 };

/** How a value may be written in a configuration file: as text, as a bare number too, as true or false, or as a list. */
export type FileForm = 'text' | 'number' | 'boolean' | 'list';

/** What is known of a schema besides what it does. */
export interface Unit {
  /** What is accepted, for messages. */
  readonly accepted: string;
  readonly form: FileForm;
  /** All that is accepted, where that is a few words. */
  readonly words?: readonly string[];
}

const units = new WeakMap<z.ZodType, Unit>();

/** Returns what is known of a schema of this file. */
export function unitOf(schema: z.ZodType): Unit {
  return units.get(schema) ?? { accepted: 'a text', form: 'text' };
}

/** A schema that turns a text into what `parse` returns for it, and refuses it with what is accepted when that is undefined. */
function text<T>(
  accepted: string,
  parse: (text: string) => T | undefined,
  unit: Omit<Unit, 'accepted'> = { form: 'text' },
): TextSchema<T> {
  const schema = z.string().transform((value, context) => {
    const parsed = parse(value.trim());
    if (parsed !== undefined) return parsed;
    context.issues.push({ code: 'custom', message: accepted, input: value });
    return z.NEVER;
  });
  units.set(schema, { accepted, ...unit });
  return schema;
}

const number = { form: 'number' } as const;

function inRange(value: number, min: number, max: number): number | undefined {
  return min <= value && value <= max ? value : undefined;
}

/** Milliseconds, from a duration such as `250ms`, `30s`, `5m`, `1h`; fractions and a bare 0 are fine. */
export function duration(minMs: number): TextSchema<number> {
  const least = minMs === 0 ? '' : `, at least ${minMs}ms`;
  return text(
    `a duration such as 250ms, 30s, 5m or 1h${least}`,
    (value) => {
      if (value === '0') return inRange(0, minMs, maxDurationMs);
      const match = /^([0-9]{1,10}(?:\.[0-9]{1,3})?)(ms|s|m|h)$/.exec(value);
      const factor = millisecondsPer[match?.[2] ?? ''];
      return factor === undefined ? undefined : inRange(Math.round(Number(match?.[1]) * factor), minMs, maxDurationMs);
    },
    number,
  );
}

/** Milliseconds, from a time in which something is valid: `90m`, `12h`, `30d`, `52w`; at least a minute, at most 100 years. */
export function lifetime(): TextSchema<number> {
  const per: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
  return text('a time such as 90m, 12h, 30d or 52w, at least 1m', (value) => {
    const match = /^([0-9]{1,8})([mhdw])$/.exec(value);
    return inRange(Number(match?.[1] ?? 0) * (per[match?.[2] ?? ''] ?? 0), 60_000, 36_525 * 86_400_000);
  });
}

/** A port to listen on, 0 picks a free one; or from 1 when it is one to connect to. */
export function port(min: 0 | 1): TextSchema<number> {
  return text(`a port from ${min} to 65535`, (value) => wholeNumber(value, min, 65_535), number);
}

/** A whole number between two bounds, both included. */
export function count(min: number, max: number): TextSchema<number> {
  return text(`a whole number from ${min} to ${max}`, (value) => wholeNumber(value, min, max), number);
}

/** A number that may have a fraction, between two bounds, both included. */
export function decimal(min: number, max: number): TextSchema<number> {
  return text(
    `a number from ${min} to ${max}`,
    (value) => (/^[0-9]{1,12}(?:\.[0-9]{1,6})?$/.test(value) ? inRange(Number(value), min, max) : undefined),
    number,
  );
}

/** Octets, from a number with or without a unit: `16384`, `64KiB`, `16MiB`, `1GiB`. */
export function byteSize(min: number, max: number): TextSchema<number> {
  return text(
    `a size from ${min} to ${max} bytes, such as 65536, 64KiB or 16MiB`,
    (value) => {
      const match = /^([0-9]{1,15})(b|kib|mib|gib)?$/i.exec(value);
      const factor = bytesPer[(match?.[2] ?? '').toLowerCase()];
      return match === null || factor === undefined ? undefined : inRange(Number(match[1]) * factor, min, max);
    },
    number,
  );
}

/** One of a few words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words): TextSchema<Words[number]> {
  return text(`one of ${words.join(', ')}`, (value) => words.find((word) => word === value), { form: 'text', words });
}

/** A text that is neither empty nor holds control characters. */
export function plainText(accepted: string): TextSchema<string> {
  return text(accepted, (value) => (isPlain(value) ? value : undefined));
}

/** A text that must not be shown; neither empty nor with control characters. */
export function secretText(accepted: string): TextSchema<Secret> {
  return text(accepted, (value) => (isPlain(value) ? new Secret(value) : undefined));
}

/** A service that a tunnel leads to: a port, `host:port`, a URL or `unix:/path`. */
export function serviceTarget(): TextSchema<Target> {
  const parse = (value: string): Target | undefined => {
    try {
      return parseTarget(value);
    } catch {
      return undefined;
    }
  };
  return text('a port (3000), host:port, http://host:port, https://host:port or unix:/path', parse, number);
}

/** A host name or IP address, lower case, without brackets and without port. */
export function hostName(): TextSchema<string> {
  return text('a host name or an IP address, without a port', (value) => {
    const bare = value.startsWith('[') && value.endsWith(']') ? value.slice(1, -1) : value;
    const isName = /^(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/i.test(bare);
    return (isName || isIPv6(bare)) && bare.length <= 253 ? bare.toLowerCase() : undefined;
  });
}

/** The host of an endpoint, as clients name it in Host: an IPv6 address in brackets and in its shortest form. */
export function endpointHost(): TextSchema<string> {
  const host = hostName();
  return text('a host name or an IP address, without a port', (value) => {
    const { success, data = '' } = host.safeParse(value);
    // A zone means something on one machine only.
    if (!success || data.includes('%')) return undefined;
    return isIPv6(data) ? parseAuthority(`[${data}]`).host : data;
  });
}

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** A host with an optional port: `edge.example.com`, `203.0.113.5:4444`, `[2001:db8::1]:4444`. */
export function serverAddress(defaultPort: number): TextSchema<ServerAddress> {
  const host = hostName();
  return text(`a host with an optional port, such as edge.example.com or edge.example.com:${defaultPort}`, (value) => {
    const match = /^(\[[^\]]*\]|[^:]*)(?::([0-9]+))?$/.exec(value);
    const parsed = host.safeParse(match?.[1] ?? value);
    const portNumber = match?.[2] === undefined ? defaultPort : wholeNumber(match[2], 1, 65_535);
    return parsed.success && portNumber !== undefined ? { host: parsed.data, port: portNumber } : undefined;
  });
}

/** A host with an optional port as it may stand in the field Host, or one of a few words. */
export function authorityOr<const Words extends readonly string[]>(words: Words): TextSchema<string> {
  return text(`${words.join(', ')} or a host with an optional port`, (value) => {
    if (words.includes(value)) return value;
    try {
      parseAuthority(value);
      return value;
    } catch {
      return undefined;
    }
  });
}

/** A list with commas between its elements; empty elements are dropped. @param max Elements at most, default any. */
export function list<T>(element: TextSchema<T>, max = Number.POSITIVE_INFINITY): TextSchema<T[]> {
  const schema = z
    .string()
    .transform((value) => value.split(',').filter((part) => part.trim() !== ''))
    .pipe(max === Number.POSITIVE_INFINITY ? z.array(element) : z.array(element).max(max, `at most ${max} elements`));
  units.set(schema, { accepted: `a list, each element ${unitOf(element).accepted}`, form: 'list' });
  return schema;
}

/** Yes or no. */
export function yesOrNo(): TextSchema<boolean> {
  const words: Readonly<Record<string, boolean>> = {
    '1': true,
    true: true,
    yes: true,
    '0': false,
    false: false,
    no: false,
  };
  return text(
    'true or false',
    (value) => (Object.hasOwn(words, value.toLowerCase()) ? words[value.toLowerCase()] : undefined),
    { form: 'boolean' },
  );
}

function wholeNumber(value: string, min: number, max: number): number | undefined {
  return /^[0-9]{1,15}$/.test(value) ? inRange(Number(value), min, max) : undefined;
}

function isPlain(value: string): boolean {
  return value !== '' && !/\p{Cc}/u.test(value);
}

/** An address or a network: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. */
export function network(): TextSchema<string> {
  return text('an address such as 192.0.2.7 or a network such as 10.0.0.0/8', (value) =>
    isNetwork(value) ? value : undefined,
  );
}

/** A label of an agent. */
export function agentLabel(): TextSchema<string> {
  return text('1 to 63 of a-z, 0-9, dot, _, = and -', (value) =>
    /^[a-z0-9._=-]{1,63}$/.test(value) ? value : undefined,
  );
}

/** An origin of browsers, perhaps with `*.` for any subdomain. */
export function originPattern(): TextSchema<string> {
  return text('an origin such as https://app.example.com or https://*.example.com, * or null', (value) =>
    isOriginPattern(value) ? value : undefined,
  );
}

/** A name of a method or of a header field, or `*`. */
export function token(accepted: string): TextSchema<string> {
  return text(accepted, (value) => (isToken(value) && value.length <= 253 ? value : undefined));
}

/** The base of an HTTP service, without a slash at its end. */
export function httpUrl(): TextSchema<string> {
  return text('a URL such as http://127.0.0.1:8080', (value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '')
      return undefined;
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  });
}

/** A path on a server, with a query perhaps. */
export function urlPath(): TextSchema<string> {
  return text('a path such as /healthz', (value) =>
    /^\/[\x21-\x22\x24-\x7e]{0,500}$/.test(value) ? value : undefined,
  );
}
