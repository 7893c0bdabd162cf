/**
 * Decides which Host a request to the API may carry.
 *
 * A page of a foreign name whose DNS answer was changed to 127.0.0.1 (DNS rebinding) sends that name: it is refused.
 */
import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { parseAuthority } from '../http/authority.ts';
import { isLoopbackName } from '../http/loopback.ts';
import { problemResponse } from './problem.ts';

/** Refuses a Host that is no loopback name, no IP address and none of `names`. Answers are for nobody to keep, unless they say otherwise. */
export function knownHostsOnly(names: readonly string[]): MiddlewareHandler {
  const allowed = new Set(names.map((name) => name.toLowerCase()));
  return async (context, next) => {
    if (!isAllowed(context.req.header('host'), allowed)) return problemResponse('GIR_ERR_API_HOST');
    await next();
    if (!context.res.headers.has('Cache-Control')) context.header('Cache-Control', 'no-store');
    return undefined;
  };
}

function isAllowed(host: string | undefined, allowed: ReadonlySet<string>): boolean {
  const name = hostOf(host);
  if (name === undefined) return false;
  const isAddress = name.startsWith('[') || isIP(name) !== 0;
  return isAddress || isLoopbackName(name) || allowed.has(name);
}

function hostOf(host: string | undefined): string | undefined {
  if (host === undefined) return undefined;
  try {
    return parseAuthority(host).host;
  } catch {
    return undefined;
  }
}
