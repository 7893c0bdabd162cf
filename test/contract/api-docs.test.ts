import { describe, expect, it } from 'vitest';
import { apiDocument } from '../../scripts/generate-api-docs.ts';
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
      'GET /api/v1/stats',
      'GET /api/v1/tokens',
      'GET /api/v1/tunnels',
      'GET /api/v1/tunnels/{domain}',
      'GET /healthz',
      'GET /livez',
      'GET /readyz',
      'POST /api/v1/drain',
      'POST /api/v1/tokens',
    ]);
  });

  it.each(operations)(
    'says of %s what it does and whether it needs the token',
    (_, path, { summary, security, responses }) => {
      expect(summary).toMatch(/^\S.*\.$/);
      const needsToken = path.startsWith('/api/');
      expect([security !== undefined, '401' in responses]).toEqual([needsToken, needsToken]);
    },
  );
});
