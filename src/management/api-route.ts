/** What the routes of the management API share, said once. */
import { OpenAPIHono, type z } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import type { BlankEnv } from 'hono/types';
import type { ErrorCode } from '../errors/codes.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { problem } from './api-schemas.ts';
import { problemResponse } from './problem.ts';

/** An application whose routes are described. */
export type ApiApp = OpenAPIHono<BlankEnv>;

/** Name of the security scheme in the document. */
export const adminScheme = 'admin';

/** What a route says that needs the admin token. */
export function forAdmin(tag: 'figures' | 'tunnels' | 'tokens' | 'edge') {
  return { tags: [tag], security: [{ [adminScheme]: [] }] };
}

/** The content of an answer. */
export function json<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}

/** Refusals of what changes something: a body that is not taken, no token, a page of another origin, a large body. */
export const changeRefusals = [400, 401, 403, 413] as const;

/** Responses of refusals, by status; with a foreign Host and a fault of the edge, which any route may have. */
export function refusals(...statuses: readonly number[]) {
  const responseOf = (description: string) => ({
    description,
    content: { 'application/problem+json': { schema: problem } },
  });
  return {
    ...Object.fromEntries(statuses.map((status) => [status, responseOf('Refused.')])),
    421: responseOf('Refused: the API does not answer under this host name.'),
    500: responseOf('The edge failed; its log says why.'),
  };
}

/**
 * Returns an application whose errors, those of validation included, are problem details.
 * @param onFault Told of what should not have happened, which whoever asked is not told.
 */
export function newApiApp(onFault: (error: Error) => void): ApiApp {
  const app: ApiApp = new OpenAPIHono({
    defaultHook: (result) => {
      if (result.success) return undefined;
      const issues = result.error.issues.map(({ path, message }) => [...path, message].join(': '));
      return problemResponse('GIR_ERR_API_BODY', issues.join('; '));
    },
  });
  app.notFound(() => problemResponse('GIR_ERR_API_PATH'));
  app.onError((error) => {
    if (error instanceof HTTPException && error.status < 500) return problemResponse('GIR_ERR_API_BODY', error.message);
    const failure = GiraffeError.from(error);
    if (told.has(failure.code)) return problemResponse(failure.code, failure.message);
    onFault(error);
    return problemResponse(failure.code);
  });
  return app;
}

/** Codes whose message was made for whoever asked. */
const told: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['GIR_ERR_API_BODY']);
