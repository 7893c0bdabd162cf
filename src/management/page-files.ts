/**
 * Serves the built pages, `dist/ui` of the package: one page at `/`, and the assets that it names.
 *
 * Everything comes from here: the pages load nothing from elsewhere, and their policy says so to the browser.
 */
import { readFile } from 'node:fs/promises';
import type { Hono } from 'hono';

/** A page that was built. */
export type PageName = 'inspector' | 'dashboard';

/** The same place from `src` and from `dist`. */
const folder = new URL('../../dist/ui/', import.meta.url);

const types: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Returns what adds the routes of a page to an application. */
export function pageRoutes(page: PageName): (app: Hono) => void {
  return (app) => addPage(app, page);
}

function addPage(app: Hono, page: PageName): void {
  app.get('/', () => fileResponse(`${page}.html`, 'no-cache'));
  // Names of assets hold a hash of what is in them.
  app.get('/assets/:name{[A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_-]+)+}', (context) =>
    fileResponse(`assets/${context.req.param('name')}`, 'public, max-age=31536000, immutable'),
  );
}

async function fileResponse(path: string, cacheControl: string): Promise<Response> {
  const content = await readFile(new URL(path, folder)).catch(() => undefined);
  const type = types[path.split('.').at(-1) ?? ''];
  if (content === undefined || type === undefined) return new Response('There is no such file.\n', { status: 404 });
  return new Response(new Uint8Array(content), {
    headers: {
      'Content-Type': type,
      'Cache-Control': cacheControl,
      'Content-Security-Policy': policy,
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    },
  });
}
