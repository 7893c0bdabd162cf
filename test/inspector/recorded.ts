/** Exchanges for tests of the inspector, told to its tap as an agent would. */
import type { FieldLines } from '../../src/http/field-line.ts';
import type { BodyFraming } from '../../src/http/message.ts';
import type { ExchangeRecord } from '../../src/inspector/exchange-record.ts';
import { ExchangeStore, type StoreLimits } from '../../src/inspector/exchange-store.ts';
import { storeLimits } from '../support/store-limits.ts';

/** What an exchange of a test says; the rest is a plain GET answered with 200. */
export interface ToldExchange {
  readonly method?: string;
  readonly target?: string;
  readonly endpoint?: string;
  readonly fields?: FieldLines;
  readonly body?: string | Buffer;
  readonly framing?: BodyFraming;
  readonly upgrade?: string;
  readonly status?: number;
  readonly answerFields?: FieldLines;
  readonly answer?: string | Buffer;
  /** Whether it is left open after its response head. */
  readonly isLive?: boolean;
}

/** Returns a store with limits of which some differ from the defaults. */
export function storeWith(limits: Partial<StoreLimits> = {}): ExchangeStore {
  return new ExchangeStore({ ...storeLimits, ...limits });
}

/** Records an exchange and returns its record. */
export function tell(store: ExchangeStore, told: ToldExchange = {}): ExchangeRecord {
  const { method = 'GET', target = '/', endpoint = 'app.test', fields = [['Host', 'app.test']], upgrade } = told;
  const body = Buffer.from(told.body ?? '');
  const length = { kind: 'length', lengthBytes: body.length } as const;
  const framing = told.framing ?? (body.length === 0 ? { kind: 'none' } : length);
  const tap = store.open({
    endpoint,
    targetName: undefined,
    target: 'http://localhost:3000',
    carrier: upgrade === undefined ? 'grpc' : 'tcp',
    head: { method, target, minorVersion: 1, fields, body: framing },
    upgrade,
  });
  const record = store.get(tap.id);
  if (record === undefined) throw new Error('the record was dropped at once');
  if (body.length > 0) tap.onRequestBody(body);
  tap.onRequestEnd([]);
  tap.onConnected(false);
  const { status = 200, answerFields = [], answer } = told;
  tap.onResponseHead({ status, reason: 'OK', minorVersion: 1, fields: answerFields, body: { kind: 'chunked' } });
  if (answer !== undefined) tap.onResponseBody(Buffer.from(answer));
  if (told.isLive === true) return record;
  tap.onResponseEnd([]);
  tap.onFinished(undefined);
  return record;
}
