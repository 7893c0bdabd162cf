/**
 * Decides whether a request that changes something may come from the web page that sent it.
 *
 * Browsers let any page send simple requests to loopback ports and only keep the answer from it. What a program sends has
 * neither field, and passes.
 */
import type { MiddlewareHandler } from 'hono';
import { problemResponse } from './problem.ts';

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Refuses requests that change something when a page of another origin sent them (Fetch Metadata, Origin). */
export const ownPagesOnly: MiddlewareHandler = async (context, next) => {
  const { req } = context;
  if (!safeMethods.has(req.method) && isForeign(req.header('origin'), req.header('sec-fetch-site'), req.header('host')))
    return problemResponse('GIR_ERR_API_ORIGIN');
  await next();
  return undefined;
};

function isForeign(origin: string | undefined, site: string | undefined, host: string | undefined): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
}
