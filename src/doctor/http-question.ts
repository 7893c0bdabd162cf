/**
 * Asks a service one question over HTTP/1.1 and returns what it answered, for judging it: the start line, the fields, and
 * the first octets of the body. Not a client: it follows nothing and keeps no connection.
 */
import type { Socket } from 'node:net';
import type { OriginTls } from '../agent/agent-options.ts';
import { OriginDialer } from '../agent/origin-socket.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { type Target, targetText } from '../http/target.ts';

/** Octets of an answer that are read. */
const maxAnswerBytes = 16 * 1024;

/** Whom to ask. */
export interface HttpService {
  readonly target: Target;
  /** How its certificate is verified, if it speaks TLS. */
  readonly originTls: OriginTls;
}

/** What is asked. */
export interface HttpQuestion {
  readonly path: string;
  /** Value of Host. */
  readonly host: string;
  /** Further field lines, such as those of an upgrade. Default none but `Connection: close`. */
  readonly fields?: readonly string[];
}

/** What was answered. */
export interface HttpAnswer {
  /** Undefined when it is not HTTP/1. */
  readonly status: number | undefined;
  /** `1.0` or `1.1`; undefined when it is not HTTP/1. */
  readonly version: string | undefined;
  /** First octets of the body, as far as they came with the head. */
  readonly body: string;
  /** Value of a field, by its name in lower case. */
  field(name: string): string | undefined;
}

/**
 * Sends a GET.
 *
 * @throws The error of the connection, or the reason of `signal`. An answer that is not HTTP is an answer.
 */
export async function askHttp(service: HttpService, question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
  const socket = await connected(service, signal);
  try {
    return readAnswer(await exchange(socket, question, signal));
  } finally {
    socket.destroy();
  }
}

/**
 * Connects to a target.
 *
 * @throws The error of the connection, or the reason of `signal`.
 */
export function connected({ target, originTls }: HttpService, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = new OriginDialer(target, originTls).dial();
    const onAbort = (): void => {
      socket.destroy();
      reject(GiraffeError.from(signal.reason));
    };
    signal.addEventListener('abort', onAbort);
    socket.on('error', reject);
    socket.once(target.kind === 'tcp' && target.tls ? 'secureConnect' : 'connect', () => {
      signal.removeEventListener('abort', onAbort);
      resolve(socket);
    });
  });
}

function exchange(socket: Socket, { path, host, fields }: HttpQuestion, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const end = (): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(text);
    };
    const onAbort = (): void => {
      if (text === '') reject(GiraffeError.from(signal.reason));
      else end();
    };
    signal.addEventListener('abort', onAbort);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (isComplete(text) || text.length > maxAnswerBytes) end();
    });
    socket.on('end', end).on('close', end);
    socket.on('error', (error) => (text === '' ? reject(error) : end()));
    const lines = [`GET ${path} HTTP/1.1`, `Host: ${host}`, 'User-Agent: giraffe-doctor', 'Accept: */*'];
    socket.write(`${[...lines, ...(fields ?? ['Connection: close'])].join('\r\n')}\r\n\r\n`);
  });
}

/** The head is there, and as much of the body as its length says; a body without length is not waited for. */
function isComplete(text: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return !'HTTP/'.startsWith(text.slice(0, 5));
  const length = /^content-length: *([0-9]+)/im.exec(text.slice(0, headEnd))?.[1];
  return length === undefined || text.length >= headEnd + 4 + Math.min(Number(length), maxAnswerBytes);
}

function readAnswer(text: string): HttpAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const start = /^HTTP\/(1\.[01]) ([1-5][0-9]{2})/.exec(head);
  const fields = new Map(
    head.split('\r\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  return {
    status: start?.[2] === undefined ? undefined : Number(start[2]),
    version: start?.[1],
    body: rest.join('\r\n\r\n'),
    field: (name) => fields.get(name),
  };
}

/** Names a target and what went wrong with it. */
export function targetProblem(target: Target, error: NodeJS.ErrnoException): string {
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    ENOENT: 'there is no such socket',
    ENOTFOUND: 'the name cannot be resolved',
    EACCES: 'this user may not connect to it',
  };
  const inner: NodeJS.ErrnoException = error instanceof AggregateError ? error.errors[0] : error;
  return `${targetText(target)}: ${reasons[inner.code ?? ''] ?? inner.message}`;
}
