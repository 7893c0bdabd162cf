import { describe, expect, it } from 'vitest';
import { codes, type ErrorCode } from '../../src/errors/codes.ts';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { failureForm } from '../../src/http/accept.ts';
import { type FailureContext, failureResponse } from '../../src/http/failure-page.ts';
import { fieldValues } from '../../src/http/field-line.ts';
import { assertForwardableResponseHead } from '../../src/http/field-validation.ts';
import { proxyStatusValue } from '../../src/http/proxy-status.ts';

const context: FailureContext = { requestId: 'id-1', accept: undefined, isHead: false };
const html = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const every = Object.keys(codes) as ErrorCode[];

describe('failureForm()', () => {
  it.each([
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    [html, 'html'],
    ['application/json', 'json'],
    ['application/problem+json', 'json'],
    ['application/vnd.api+json', 'json'],
    ['application/json, text/plain, */*', 'json'],
    ['Text/HTML', 'html'],
    ['text/html, application/json', 'html'],
    ['text/html;q=0.5, application/json', 'json'],
    ['application/json;q=0.5, text/html;q=0.6', 'html'],
    ['text/html;q=0, application/json;q=0', 'text'],
    ['text/html;level=1;q=0.2, text/plain;q=0.3', 'text'],
    ['text/html; q=bad', 'html'],
    ['image/png', 'text'],
  ])('answers Accept %j with %s', (accept, form) => {
    expect(failureForm(accept)).toBe(form);
  });
});

describe('failureResponse()', () => {
  it('gives browsers a page with nothing to load', () => {
    const { head, body } = failureResponse({ code: 'GIR_ERR_NO_UPSTREAM' }, { ...context, accept: html });
    const page = body.toString();
    expect(fieldValues(head.fields, 'content-type')).toEqual(['text/html; charset=utf-8']);
    expect(fieldValues(head.fields, 'content-security-policy')).toEqual([
      "default-src 'none'; style-src 'unsafe-inline'",
    ]);
    expect(page).toContain('GIR_ERR_NO_UPSTREAM');
    expect(page).toContain('id-1');
    expect(page).toContain('<li class="failed" aria-current="step">agent</li>');
    expect(page).toContain('Start <code>giraffe tunnel</code> beside the service');
    expect(page).not.toMatch(/<script|src=|href=|url\(|@import/);
  });

  it('escapes every text of the page', () => {
    const failure = { code: 'GIR_ERR_REQUEST_INVALID', detail: `<script>"&'` } as const;
    const { body } = failureResponse(failure, { ...context, requestId: '<b>', accept: html });
    expect(body.toString()).toContain('&#60;script&#62;&#34;&#38;&#39;');
    expect(body.toString()).not.toMatch(/<script|<b>/);
  });

  it('gives programs problem details (RFC 9457)', () => {
    const { head, body } = failureResponse(
      { code: 'GIR_ERR_ORIGIN_REFUSED', detail: '10.0.0.1:80' },
      { ...context, accept: 'application/json' },
    );
    expect(fieldValues(head.fields, 'content-type')).toEqual(['application/problem+json']);
    expect(JSON.parse(body.toString())).toEqual({
      type: 'urn:giraffe:error:GIR_ERR_ORIGIN_REFUSED',
      title: 'Bad Gateway',
      status: 502,
      detail: codes.GIR_ERR_ORIGIN_REFUSED.summary,
      code: 'GIR_ERR_ORIGIN_REFUSED',
      requestId: 'id-1',
      side: 'origin',
      fix: codes.GIR_ERR_ORIGIN_REFUSED.fix,
    });
  });

  it('gives everybody else text', () => {
    const { head, body } = failureResponse({ code: 'GIR_ERR_ENDPOINT_UNKNOWN' }, context);
    expect(fieldValues(head.fields, 'content-type')).toEqual(['text/plain; charset=utf-8']);
    expect(body.toString()).toBe(
      [
        '404 Not Found',
        '',
        'No tunnel has this address.',
        '',
        'Side:       client',
        `Next step:  ${codes.GIR_ERR_ENDPOINT_UNKNOWN.fix}`,
        'Code:       GIR_ERR_ENDPOINT_UNKNOWN',
        'Request id: id-1',
        '',
      ].join('\n'),
    );
  });

  it.each([undefined, html, 'application/json'])(
    'never tells a detail, except of an invalid request (Accept %j)',
    (accept) => {
      for (const code of every) {
        const { body } = failureResponse({ code, detail: 'more than one Host line' }, { ...context, accept });
        expect(body.includes('More than one Host line.')).toBe(code === 'GIR_ERR_REQUEST_INVALID');
      }
    },
  );

  it.each(every)('writes a consistent head for %s in every form', (code) => {
    for (const accept of [undefined, html, 'application/json']) {
      const { head, body } = failureResponse({ code }, { ...context, accept });
      assertForwardableResponseHead(head, { method: 'GET' });
      expect(head.body).toEqual({ kind: 'length', lengthBytes: body.length });
      expect(head.reason).not.toBe('Error');
      expect(fieldValues(head.fields, 'cache-control')).toEqual(['no-store']);
      expect(fieldValues(head.fields, 'vary')).toEqual(['Accept']);
      expect(fieldValues(head.fields, 'x-request-id')).toEqual(['id-1']);
      expect(fieldValues(head.fields, 'proxy-status')).toEqual([proxyStatusValue(code)]);
      expect(fieldValues(head.fields, 'retry-after')).toEqual([429, 503].includes(codes[code].status) ? ['1'] : []);
    }
  });

  it('takes an error as it is, and tells the broken rule only once', () => {
    const told = failureResponse(new GiraffeError('GIR_ERR_REQUEST_INVALID', 'more than one Host line'), context);
    expect(told.body.toString()).toContain('not valid HTTP/1.1. More than one Host line.\n');
    const plain = failureResponse(new GiraffeError('GIR_ERR_REQUEST_INVALID'), context);
    expect(plain.body.toString()).toContain('The request is not valid HTTP/1.1.\n');
  });

  it('answers HEAD without a body, but says how long it would be', () => {
    const whole = failureResponse({ code: 'GIR_ERR_NO_UPSTREAM' }, context);
    const { head, body } = failureResponse({ code: 'GIR_ERR_NO_UPSTREAM' }, { ...context, isHead: true });
    expect(body).toHaveLength(0);
    expect(head).toEqual({ ...whole.head, body: { kind: 'none' } });
    assertForwardableResponseHead(head, { method: 'HEAD' });
  });

  it('passes on when to come back', () => {
    const { head } = failureResponse({ code: 'GIR_ERR_DRAINING' }, { ...context, retryAfterSeconds: 7 });
    expect(fieldValues(head.fields, 'retry-after')).toEqual(['7']);
  });
});

describe('proxyStatusValue()', () => {
  it('names the proxy and the error (RFC 9209)', () => {
    expect(proxyStatusValue('GIR_ERR_ORIGIN_REFUSED')).toBe('giraffe; error=connection_refused');
  });
});
