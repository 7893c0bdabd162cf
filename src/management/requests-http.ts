/** Recorded exchanges in the form that scripts for other tunnels read: `/api/requests/http`. */
import type { FieldLines } from '../http/field-line.ts';
import type { ExchangeDetail, MessagePart } from '../inspector/exchange-view.ts';

const nanosecondsPerMs = 1_000_000;

/** Returns one exchange. `raw` is the message as octets, base64: its head with secrets masked, and what is kept of its body. */
export function requestBody(exchange: ExchangeDetail): object {
  const { id, endpoint, method, path, httpVersion, request, response } = exchange;
  const proto = `HTTP/${httpVersion}`;
  return {
    uri: `/api/requests/http/${id}`,
    id,
    tunnel_name: endpoint,
    remote_addr: exchange.remoteAddress ?? '',
    start: exchange.startedAt,
    duration: Math.round(exchange.durationMs * nanosecondsPerMs),
    request: {
      method,
      proto,
      headers: headersOf(request.fields),
      uri: path,
      raw: rawOf(`${method} ${path} ${proto}`, request),
    },
    response: response && {
      status: `${response.status} ${response.reason}`.trim(),
      status_code: response.status,
      proto: 'HTTP/1.1',
      headers: headersOf(response.fields),
      raw: rawOf(`HTTP/1.1 ${response.status} ${response.reason}`, response),
    },
  };
}

function headersOf(fields: FieldLines): Record<string, string[]> {
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of fields) {
    const known = headers[name];
    if (known === undefined) headers[name] = [value];
    else known.push(value);
  }
  return headers;
}

function rawOf(start: string, { fields, body }: MessagePart): string {
  const head = [start, ...fields.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head), Buffer.from(body?.base64 ?? '', 'base64')]).toString('base64');
}
