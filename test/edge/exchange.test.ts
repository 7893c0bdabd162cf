import { expect, it } from 'vitest';
import type { Responder } from '../../src/edge/client-ports.ts';
import { Exchange, type ExchangeContext } from '../../src/edge/exchange.ts';
import type { PreparedRequest } from '../../src/edge/prepared-request.ts';
import type { Upstream } from '../../src/edge/router.ts';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';

it('S5 H13 tiny pieces of a body that wait for an upstream are joined, and all of them are sent', () => {
  const head = { method: 'POST', target: '/', fields: [], body: { kind: 'chunked' } };
  const request = { head, routing: { host: 'a.test' } } as unknown as PreparedRequest;
  const limits = { requestTimeoutMs: 60_000 };
  const context = { limits, onOutcome: () => {} } as unknown as ExchangeContext;
  const responder = { resume: () => {}, fail: () => {} } as unknown as Responder;
  const exchange = new Exchange(request, responder, context);
  const text = Array.from({ length: 10_000 }, (_, index) => String(index % 10)).join('');
  for (const octet of text) expect(exchange.body(Buffer.from(octet))).toBe(false);

  const sent: Buffer[] = [];
  const stream = { sendData: (chunk: Buffer) => sent.push(chunk) > 0, reset: () => {} };
  const multiplexer = { reserveWindow: () => 65_536, open: () => stream };
  const session = { nextStreamId: () => 1, givePlace: () => {} };
  exchange.onFound({ multiplexer, session } as unknown as Upstream);
  exchange.refuse(new GiraffeError('GIR_ERR_CANCELLED'));
  expect(Buffer.concat(sent).toString()).toBe(text);
  expect(sent.length).toBeLessThanOrEqual(64);
});
