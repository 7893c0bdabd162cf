/**
 * Names below localhost, which RFC 6761 section 6.3 gives to loopback: not every system's resolver knows that.
 *
 * Browsers and curl do by themselves. Our own requests do by {@link lookupLocalhost}, and Node programs that we start by a
 * preloaded script.
 */
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { lookup as lookupPromise } from 'node:dns/promises';
import { fileURLToPath } from 'node:url';
import { isLoopbackName } from '../../http/loopback.ts';

const preload = fileURLToPath(new URL('../../../bin/localhost-names.cjs', import.meta.url));

/** Tells whether the system resolves a host. */
export async function resolves(host: string): Promise<boolean> {
  return lookupPromise(host).then(
    () => true,
    () => false,
  );
}

/** The `lookup` of a connection: dns.lookup, with loopback for all names below localhost. */
export function lookupLocalhost(
  host: string,
  options: LookupOptions,
  callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
): void {
  lookup(isLoopbackName(host) ? 'localhost' : host, options, callback);
}

/** Returns NODE_OPTIONS with which a Node program, and those it starts, know names below localhost. */
export function nodeOptionsWithLocalhost(before: string | undefined): string {
  const option = `--require=${preload}`;
  const quoted = /[\s"\\]/.test(option) ? `"${option.replace(/["\\]/g, '\\$&')}"` : option;
  return before === undefined || before === '' ? quoted : `${before} ${quoted}`;
}
