import { describe, expect, it } from 'vitest';
import { apiDocument } from '../../scripts/generate-api-docs.ts';
import { createManagementApp } from '../../src/management/management-app.ts';
import type { ManagementPort } from '../../src/management/management-port.ts';
import { readText } from '../support/repository.ts';

interface Operation {
  readonly summary: string;
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, object>>;
}

const document = JSON.parse(apiDocument()) as {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, path, operation] as const),
);

describe('docs/reference/openapi.json', () => {
  it('is what the routes of the management API say (npm run docs:generate)', () => {
    expect(readText('docs/reference/openapi.json')).toBe(apiDocument());
  });

  it('is OpenAPI 3.1 and has every path of the contract', () => {
    expect(document.openapi).toMatch(/^3\.1/);
    expect(operations.map(([name]) => name).sort()).toEqual([
      'DELETE /api/v1/tokens/{id}',
      'DELETE /api/v1/tunnels/{domain}',
      'GET /api/v1/events',
      'GET /api/v1/metrics',
      'GET /api/v1/openapi.json',
      'GET /api/v1/stats',
      'GET /api/v1/tokens',
      'GET /api/v1/tunnels',
      'GET /api/v1/tunnels/{domain}',
      'GET /healthz',
      'GET /livez',
      'GET /metrics',
      'GET /metrics/{exporter}',
      'GET /readyz',
      'POST /api/v1/drain',
      'POST /api/v1/tokens',
    ]);
  });

  it('has every path that is served', () => {
    const served = createManagementApp({} as ManagementPort, []).routes.filter(({ method }) => method !== 'ALL');
    const names = served.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect([...new Set(names)].sort()).toEqual(operations.map(([name]) => name).sort());
  });

  it.each(operations)('says of %s how it is refused', async (name, path, { responses }) => {
    const app = createManagementApp({ authenticateAdmin: () => true } as unknown as ManagementPort, []);
    const [method = ''] = name.split(' ');
    const headers = { Host: 'localhost', Authorization: 'Bearer x' };
    const statusOf = async (more: Record<string, string>): Promise<string> =>
      String((await app.request(path, { method, headers: { ...headers, ...more } })).status);
    expect(await statusOf({ Host: 'evil.test' })).toBe('421');
    const statuses = ['421', '500'];
    if (method !== 'GET') {
      for (const [field, value] of [
        ['Origin', 'http://evil.test'],
        ['Transfer-Encoding', 'chunked'],
        ['Content-Length', '65537'],
      ] as const) {
        statuses.push(await statusOf({ [field]: value }));
      }
      expect(statuses.slice(2)).toEqual(['403', '400', '413']);
    }
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(statuses));
  });

  it.each(operations)(
    'says of %s what it does and whether it needs the token',
    (_, path, { summary, security, responses }) => {
      expect(summary).toMatch(/^\S.*\.$/);
      const needsToken = /^\/(?:api|metrics)\b/.test(path);
      expect([security !== undefined, '401' in responses]).toEqual([needsToken, needsToken]);
    },
  );
});
