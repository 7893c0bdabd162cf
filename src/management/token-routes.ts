/** Routes of the management API about tokens of agents. */
import { createRoute, z } from '@hono/zod-openapi';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { type ApiApp, changeRefusals, forAdmin, json, refusals } from './api-route.ts';
import { createdToken, newToken, tokens } from './api-schemas.ts';
import type { ManagementPort, TokenView, WantedToken } from './management-port.ts';
import { problemResponse } from './problem.ts';

const listRoute = createRoute({
  ...forAdmin('tokens'),
  method: 'get',
  path: '/api/v1/tokens',
  summary: 'All tokens, expired ones too, without their secrets, which are not kept.',
  responses: { 200: json('The tokens.', tokens), ...refusals(401) },
});

const makeRoute = createRoute({
  ...forAdmin('tokens'),
  method: 'post',
  path: '/api/v1/tokens',
  summary: 'Make a token for an agent. Its secret is shown only here.',
  request: { body: { required: true, content: { 'application/json': { schema: newToken } } } },
  responses: { 201: json('The token.', createdToken), ...refusals(...changeRefusals) },
});

const revokeRoute = createRoute({
  ...forAdmin('tokens'),
  method: 'delete',
  path: '/api/v1/tokens/{id}',
  summary: 'Revoke a token. Sessions that use it end within a second.',
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: 'It is revoked.' }, ...refusals(...changeRefusals, 404) },
});

/** Adds the routes. */
export function addTokenRoutes(app: ApiApp, edge: ManagementPort): void {
  app.openapi(listRoute, (context) =>
    context.json({ tokens: edge.listTokens().map((token) => tokenBody(token, edge.now())) }, 200),
  );
  app.openapi(makeRoute, async (context) => {
    const { name, endpoints, expiresAt } = context.req.valid('json');
    const expiry = expiresAt === undefined ? undefined : new Date(expiresAt);
    const { id, secret } = await create(edge, { name, endpoints, expiresAt: expiry });
    return context.json({ id, name, endpoints, expiresAt: expiry?.toISOString(), token: secret }, 201);
  });
  app.openapi(revokeRoute, async (context) => {
    const { id } = context.req.valid('param');
    if (await edge.revokeToken(id)) return context.body(null, 204);
    return problemResponse('GIR_ERR_TOKEN_UNKNOWN') as never;
  });
}

function tokenBody({ id, name, endpoints, createdAt, expiresAt }: TokenView, now: number) {
  return {
    id,
    name,
    endpoints: [...endpoints],
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString(),
    expired: expiresAt !== undefined && expiresAt.getTime() <= now,
  };
}

/** What is wrong on a command line is wrong in a body. */
async function create(edge: ManagementPort, wanted: WantedToken) {
  try {
    return await edge.createToken(wanted);
  } catch (error) {
    if (!(error instanceof GiraffeError) || error.code !== 'GIR_ERR_USAGE') throw error;
    throw new GiraffeError('GIR_ERR_API_BODY', error.message, { cause: error });
  }
}
