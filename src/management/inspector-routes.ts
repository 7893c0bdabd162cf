/**
 * The inspector's routes of the agent's local API: what was recorded, live, as HAR, and once more.
 *
 * Secrets are masked unless `secrets=show` is asked for. What changes something takes `application/json` alone, which no
 * page of another origin can send without asking first.
 */
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { GiraffeError } from '../errors/giraffe-error.ts';
import type { ExchangeRecord } from '../inspector/exchange-record.ts';
import type { ExchangeListEvent } from '../inspector/exchange-view.ts';
import { harOf } from '../inspector/har.ts';
import type { Inspector } from '../inspector/inspector.ts';
import { detailOf, detailsOf, messagesOf, summaryOf } from '../inspector/view-of-record.ts';
import type { AgentRoutes } from './agent-app.ts';
import { ChangeQueue } from './change-queue.ts';
import { type EventSource, eventStream, eventText } from './event-stream.ts';
import { pageRoutes } from './page-files.ts';
import { problemResponse } from './problem.ts';
import { requestBody } from './requests-http.ts';

/** Exchanges in one answer in the form of other tunnels, unless asked otherwise. */
const defaultLimit = 50;

const replayEdits = z.strictObject({
  method: z.string().optional(),
  target: z.string().optional(),
  fields: z.array(z.tuple([z.string(), z.string()])).optional(),
  bodyBase64: z.base64().optional(),
});

const replayOrder = z.object({ id: z.string() });

/** Returns the routes, the pages included. */
export function createInspectorRoutes(inspector: Inspector, version: string): AgentRoutes {
  const { store } = inspector;
  return (app) => {
    pageRoutes('inspector')(app);
    app.route('/api/v1/requests', ownRoutes(inspector));
    app.get('/api/v1/requests.har', async (context) => {
      const wanted = context.req.queries('id');
      const records = store.list().filter(({ id }) => wanted === undefined || wanted.includes(id));
      const details = await detailsOf(records.reverse(), isMasked(context));
      context.header('Content-Disposition', 'attachment; filename="giraffe.har"');
      const messagesOfId = (id: string) => {
        const record = store.get(id);
        return record === undefined ? [] : messagesOf(record, -1);
      };
      return context.json(harOf(details, version, messagesOfId));
    });
    // The longer path first: `http` would be an id below the shorter one.
    for (const path of ['/api/requests/http', '/api/requests']) app.route(path, familiarRoutes(inspector));
  };
}

function ownRoutes(inspector: Inspector): Hono {
  const { store } = inspector;
  const app = new Hono();
  app.get('/', (context) => {
    const exchanges = store.list().map((record) => summaryOf(record, isMasked(context)));
    return context.json({ exchanges, limits: store.limits, heldBytes: store.heldBytes });
  });
  app.delete('/', (context) => {
    store.clear();
    return context.body(null, 204);
  });
  app.get('/events', () => eventStream((wake) => liveList(inspector, wake)));
  app.get('/:id', (context) =>
    ofRecord(inspector, context, async (record) => context.json(await detailOf(record, isMasked(context)))),
  );
  app.get('/:id/messages', (context) =>
    ofRecord(inspector, context, (record) => {
      const after = numberOf(context, 'after', { least: -1 }) ?? -1;
      return context.json({ messages: messagesOf(record, after), count: record.messages?.count ?? 0 });
    }),
  );
  app.post('/:id/replay', async (context) => {
    const edits = await bodyOf(context, replayEdits);
    const { bodyBase64, ...rest } = edits;
    const body = bodyBase64 === undefined ? undefined : Buffer.from(bodyBase64, 'base64');
    const id = inspector.replay(context.req.param('id'), { ...rest, body });
    context.header('Location', `/api/v1/requests/${id}`);
    return context.json({ id }, 201);
  });
  return app;
}

/** The paths and forms of other tunnels. */
function familiarRoutes(inspector: Inspector): Hono {
  const { store } = inspector;
  const app = new Hono();
  app.get('/', async (context) => {
    const limit = numberOf(context, 'limit', { least: 0 }) ?? defaultLimit;
    const endpoint = context.req.query('tunnel_name');
    const records = store.list().filter(({ beginning }) => endpoint === undefined || beginning.endpoint === endpoint);
    const details = await detailsOf(records.slice(0, limit));
    return context.json({ uri: '/api/requests/http', requests: details.map(requestBody) });
  });
  app.post('/', async (context) => {
    inspector.replay((await bodyOf(context, replayOrder)).id, {});
    return context.body(null, 204);
  });
  app.delete('/', (context) => {
    store.clear();
    return context.body(null, 204);
  });
  app.get('/:id', (context) =>
    ofRecord(inspector, context, async (record) => context.json(requestBody(await detailOf(record)))),
  );
  return app;
}

function isMasked(context: Context): boolean {
  return context.req.query('secrets') !== 'show';
}

/** @throws {GiraffeError} GIR_ERR_API_BODY. */
function numberOf(context: Context, name: string, { least }: { least: number }): number | undefined {
  const text = context.req.query(name);
  if (text === undefined) return undefined;
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least)) throw notTaken(`${name} must be a number from ${least} on`);
  return value;
}

function ofRecord(
  { store }: Inspector,
  context: Context,
  answer: (record: ExchangeRecord) => Response | Promise<Response>,
): Response | Promise<Response> {
  const record = store.get(context.req.param('id') ?? '');
  return record === undefined ? problemResponse('GIR_ERR_API_PATH', 'no such exchange is kept') : answer(record);
}

/** @throws {GiraffeError} GIR_ERR_API_BODY. */
async function bodyOf<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  const type = context.req.header('content-type') ?? '';
  if (!/^application\/json(?:$|\s*;)/i.test(type)) throw notTaken('the body must be application/json');
  const json: unknown = await context.req.json().catch(() => {
    throw notTaken('the body is no JSON');
  });
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw notTaken(z.prettifyError(parsed.error));
  return parsed.data;
}

function notTaken(why: string): GiraffeError {
  return new GiraffeError('GIR_ERR_API_BODY', why);
}

/** Tells what is kept, then what changes. */
function liveList({ store }: Inspector, wake: () => void): EventSource {
  const queue = new ChangeQueue();
  const watch = store.watch((changes) => {
    queue.add(changes);
    wake();
  });
  const take = (): string => {
    const changes = queue.take();
    if (changes === undefined) return eventText('exchanges', wholeList(store.list()));
    const hasChanged = changes.changed.length + changes.dropped.length > 0;
    return hasChanged ? eventText('exchanges', listEvent(changes)) : '';
  };
  return { take, [Symbol.dispose]: () => watch[Symbol.dispose]() };
}

function wholeList(records: readonly ExchangeRecord[]): ExchangeListEvent {
  return { isWhole: true, changed: records.map((record) => summaryOf(record)), dropped: [] };
}

function listEvent({
  changed,
  dropped,
}: {
  changed: readonly ExchangeRecord[];
  dropped: readonly string[];
}): ExchangeListEvent {
  return { isWhole: false, changed: changed.map((record) => summaryOf(record)), dropped };
}
