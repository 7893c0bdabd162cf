/** Writes docs/reference/openapi.json from the routes of the management API. A test compares the two. Run: npm run docs:generate */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createManagementApp, openApiDocument } from '../src/management/management-app.ts';
import type { ManagementPort } from '../src/management/management-port.ts';

/** Returns the description of the API. No route is called, so nobody needs to be behind it. */
export function apiDocument(): string {
  const nobody = {} as ManagementPort;
  return `${JSON.stringify(openApiDocument(createManagementApp(nobody, [])), undefined, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../docs/reference/openapi.json', import.meta.url), apiDocument());
}
