/**
 * What the two ends tell each other before a carrier serves: HELLO from the
 * agent, WELCOME or GOAWAY from the edge. JSON, so that either side can add
 * fields; unknown ones are ignored. It is read before anybody is authenticated,
 * so every part has a bound.
 */
import * as z from 'zod';
import { type ErrorCode, isErrorCode } from '../errors/codes.ts';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { type AgentStatus, agentStatusSchema, tunnelPolicySchema } from './tunnel-policy.ts';

/** Version of the frames and rules in this folder. Ends with different versions refuse each other. */
export const protocolVersion = 1;

/**
 * What an end can do: carry ordinary exchanges, and relays (upgraded connections); put policies in force that HELLO asks
 * for; understand STATUS (an edge); and understand WITHDRAW (an agent).
 */
export const capabilities = ['exchange', 'relay', 'policy', 'status', 'withdraw'] as const;

/** Longest delay that a timer keeps, in milliseconds; a longer one fires at once. */
const maxTimerMs = 2 ** 31 - 1;

const name = z.string().min(1).max(253);

const helloSchema = z.object({
  version: z.int().min(0),
  /** Name and release of the agent's program, for logs. */
  software: z.string().max(100),
  capabilities: z.array(z.string().max(50)).max(50),
  token: z.string().max(8192),
  /** Chosen by the agent process at random; sessions of the same agent replace each other. */
  agentId: z.string().regex(/^[A-Za-z0-9_-]{8,64}$/),
  /**
   * Chosen at random where somebody starts the agent, and kept when a reload has another one take over: what the operator
   * takes from one is taken from its successors. Default that of agents without reloads, `agentId`.
   */
  run: z
    .string()
    .regex(/^[A-Za-z0-9_-]{8,64}$/)
    .optional(),
  /** Rises with each session that the agent opens. The higher one is the newer. */
  generation: z.int().min(0),
  /** Endpoint hosts the agent serves; undefined asks the edge for a name. Ignored when a ticket is given. */
  endpoints: z.array(name.nullable()).max(100),
  /** What shall protect each endpoint, in the order of `endpoints`; null for nothing. An edge must know it to accept it. */
  policies: z.array(tunnelPolicySchema.nullable()).max(100).optional(),
  /** What rules of the edge can choose the agent by. Default none. */
  labels: z
    .array(z.string().regex(/^[a-z0-9._=-]{1,63}$/))
    .max(20)
    .optional(),
  /** Relative share of the traffic. Default 1. */
  weight: z.int().min(1).max(1000).optional(),
  /** Whether the edge forgets the names that it chooses for this agent, and their figures, when the session ends. */
  trial: z.boolean().optional(),
  /** Binds this carrier to the session that handed the ticket out. */
  ticket: z.string().max(100).optional(),
  /**
   * Asks whether a session for these endpoints would be taken, and opens none: WELCOME answers, and the agent closes.
   * `endpoints` is empty then, so that an edge which does not know the field opens none either.
   */
  probe: z.array(name.nullable()).max(100).optional(),
});

const welcomeSchema = z.object({
  software: z.string().max(100),
  capabilities: z.array(z.string().max(50)).max(50),
  sessionId: z.string().max(100),
  /** The endpoints in the order in which they were asked for, names filled in. */
  endpoints: z.array(z.object({ host: name, url: z.string().max(2048) })).max(100),
  ports: z.object({ grpc: z.int().min(0).max(65535), tunnel: z.int().min(0).max(65535) }),
  /** Ping interval of the edge, in milliseconds. */
  keepAliveMs: z.int().min(1).max(maxTimerMs),
  /** Streams that the edge keeps in flight at most in this session. */
  maxStreams: z.int().min(1),
});

const withdrawSchema = z.object({ endpoint: name, reason: z.string().max(600) });

/** First frame of the agent on each carrier. */
export type Hello = z.output<typeof helloSchema>;
/** The edge's consent. */
export type Welcome = z.output<typeof welcomeSchema>;

/** Encodes a handshake payload. */
export function encodeHandshake(message: Hello | Welcome): Buffer {
  return Buffer.from(JSON.stringify(message));
}

/**
 * Decodes HELLO. The version is judged before anything else, so that a peer of another version is told so.
 * @throws {GiraffeError} GIR_ERR_PROTOCOL_VERSION, GIR_ERR_PROTOCOL.
 */
export function decodeHello(payload: Buffer): Hello {
  const value = parseJson(payload);
  const version = versionSchema.safeParse(value);
  if (version.success && version.data.version !== protocolVersion) {
    throw new GiraffeError(
      'GIR_ERR_PROTOCOL_VERSION',
      `the edge speaks version ${protocolVersion} of the tunnel protocol, the agent version ${version.data.version}`,
    );
  }
  return checked(helloSchema, value, 'HELLO');
}

const versionSchema = z.object({ version: z.int() });

/** @throws {GiraffeError} GIR_ERR_PROTOCOL. */
export function decodeWelcome(payload: Buffer): Welcome {
  return checked(welcomeSchema, parseJson(payload), 'WELCOME');
}

/** Encodes STATUS. */
export function encodeStatus(status: AgentStatus): Buffer {
  return Buffer.from(JSON.stringify(status));
}

/** @throws {GiraffeError} GIR_ERR_PROTOCOL. */
export function decodeStatus(payload: Buffer): AgentStatus {
  return checked(agentStatusSchema, parseJson(payload), 'STATUS');
}

/** One endpoint that the edge takes from an agent, and why. */
export interface Withdrawal {
  readonly endpoint: string;
  readonly reason: GiraffeError;
}

/** Encodes WITHDRAW. */
export function encodeWithdrawal({ endpoint, reason }: Withdrawal): Buffer {
  return Buffer.from(JSON.stringify({ endpoint, reason: encodeReason(reason.code, reason.message).toString() }));
}

/** Decodes WITHDRAW; its reason as {@link decodeReason} does. @throws {GiraffeError} GIR_ERR_PROTOCOL. */
export function decodeWithdrawal(payload: Buffer): Withdrawal {
  const { endpoint, reason } = checked(withdrawSchema, parseJson(payload), 'WITHDRAW');
  return { endpoint, reason: decodeReason(Buffer.from(reason)) };
}

/** Encodes why an end goes away: the code, and behind a line feed what was seen. Also used by RESET. */
export function encodeReason(code: ErrorCode, detail = ''): Buffer {
  return Buffer.from(detail === '' ? code : `${code}\n${detail.slice(0, 500)}`);
}

/** Decodes a reason; a code this release does not know becomes GIR_ERR_INTERNAL. */
export function decodeReason(payload: Buffer): GiraffeError {
  const text = payload.toString('utf8');
  const lineEnd = text.indexOf('\n');
  const code = lineEnd === -1 ? text : text.slice(0, lineEnd);
  const detail = lineEnd === -1 ? undefined : text.slice(lineEnd + 1, lineEnd + 501);
  if (isErrorCode(code)) return new GiraffeError(code, detail);
  return new GiraffeError(
    'GIR_ERR_INTERNAL',
    `the other end of the tunnel sent an unknown code: ${JSON.stringify(code.slice(0, 60))}`,
  );
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch (cause) {
    throw new GiraffeError('GIR_ERR_PROTOCOL', 'a handshake frame is not JSON', { cause });
  }
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const paths = result.error.issues.map((issue) => issue.path.join('.') || '(all)').join(', ');
  throw new GiraffeError('GIR_ERR_PROTOCOL', `malformed ${what}: ${paths}`);
}
