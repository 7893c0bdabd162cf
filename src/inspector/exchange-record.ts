/**
 * One exchange as the inspector keeps it: fed by the agent while it passes, read by the API.
 *
 * It does not decide what is kept for how long; a record that was dropped takes nothing more.
 */
import { performance } from 'node:perf_hooks';
import type { GiraffeError } from '../errors/giraffe-error.ts';
import { type FieldLines, listMembers } from '../http/field-line.ts';
import type { RequestHead, ResponseHead } from '../http/message.ts';
import { CapturedBody, type OctetAccount } from './captured-body.ts';
import type { ExchangeBeginning, ExchangeTap, RelayDirection } from './exchange-tap.ts';
import { KeptHead } from './kept-head.ts';
import { MessageLog } from './message-log.ts';

/** When things happened, in milliseconds since the agent received the head of the request. */
export interface ExchangeTimes {
  /** A connection to the origin was there. */
  connectedMs?: number;
  /** The request was passed on whole. */
  requestEndMs?: number;
  /** The final response head came, or the 101. */
  headMs?: number;
  endMs?: number;
}

/** What a record needs of whoever keeps it. */
export interface RecordKeeper {
  /** Takes note that a record costs `bytes` more octets. */
  charge(record: ExchangeRecord, bytes: number): void;
  /** Takes note that a record says something new. */
  changed(record: ExchangeRecord): void;
}

/** Octets that a record costs besides its texts and bodies, and a line of trailers besides its text, roughly. */
const recordCostBytes = 1024;
const lineCostBytes = 64;
const noTrailers: FieldLines = [];

/** One recorded exchange. */
export class ExchangeRecord implements ExchangeTap, OctetAccount {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAtMs = Date.now();
  readonly times: ExchangeTimes = {};
  /** Whether the origin was spoken to on a kept connection. */
  isReused = false;
  requestTrailers = noTrailers;
  responseTrailers = noTrailers;
  /** Statuses of interim answers, the latest 16. */
  readonly interim: number[] = [];
  error: GiraffeError | undefined;
  /** Of an upgraded connection, other than a WebSocket too: octets each way. */
  readonly relayedBytes: Record<RelayDirection, number> = { toOrigin: 0, toClient: 0 };
  messages: MessageLog | undefined;
  /** Grows with everything new. */
  revision = 0;
  /** What it costs, in octets. For its keeper. */
  heldBytes = 0;
  readonly #beginning: Omit<ExchangeBeginning, 'head'> & { readonly head: KeptHead<RequestHead> };
  #response: KeptHead<ResponseHead> | undefined;
  readonly #keeper: RecordKeeper;
  readonly #maxBodyBytes: number;
  readonly #startedMs = performance.now();
  #requestBody: CapturedBody | undefined;
  #responseBody: CapturedBody | undefined;
  #isDropped = false;

  /** @param maxBodyBytes Octets kept of each body, and of all messages of a WebSocket. */
  constructor(id: string, beginning: ExchangeBeginning, maxBodyBytes: number, keeper: RecordKeeper) {
    this.id = id;
    this.#beginning = { ...beginning, head: new KeptHead(beginning.head, beginning.head.target.length) };
    this.#maxBodyBytes = maxBodyBytes;
    this.#keeper = keeper;
  }

  /** Pays for the record itself; its keeper knows it by then. */
  begin(): void {
    this.charge(recordCostBytes + this.#beginning.head.length);
    this.#changed();
  }

  get beginning(): ExchangeBeginning {
    return { ...this.#beginning, head: this.#beginning.head.read() };
  }

  /** The final head, or the 101. */
  get response(): ResponseHead | undefined {
    return this.#response?.read();
  }

  /** Whether the exchange is still going on. */
  get isLive(): boolean {
    return this.times.endMs === undefined;
  }

  get requestBody(): CapturedBody | undefined {
    return this.#requestBody;
  }

  get responseBody(): CapturedBody | undefined {
    return this.#responseBody;
  }

  /** Milliseconds since it began, or until it ended. */
  get durationMs(): number {
    return this.times.endMs ?? this.#nowMs();
  }

  /** Lets go of everything; what still comes is not taken. */
  drop(): void {
    this.#isDropped = true;
    this.#requestBody = undefined;
    this.#responseBody = undefined;
    this.messages = undefined;
  }

  charge(bytes: number): void {
    if (!this.#isDropped) this.#keeper.charge(this, bytes);
  }

  // The exchange's side.

  onRequestBody(chunk: Buffer): void {
    if (this.#isDropped) return;
    this.#requestBody ??= new CapturedBody(this.#maxBodyBytes, this);
    this.#requestBody.add(chunk);
    this.#changed();
  }

  onRequestEnd(trailers: FieldLines): void {
    if (this.#isDropped) return;
    this.times.requestEndMs ??= this.#nowMs();
    this.requestTrailers = trailers;
    if (trailers.length > 0) this.charge(sectionBytes(trailers));
  }

  onConnected(isReused: boolean): void {
    if (this.#isDropped) return;
    this.times.connectedMs = this.#nowMs();
    this.isReused = isReused;
  }

  onResponseHead(head: ResponseHead): void {
    if (this.#isDropped) return;
    if (head.status < 200 && head.status !== 101) {
      if (this.interim.length === 16) this.interim.shift();
      this.interim.push(head.status);
      return;
    }
    this.#response = new KeptHead(head, head.reason.length);
    this.times.headMs = this.#nowMs();
    this.charge(this.#response.length);
    const isWebSocket = head.status === 101 && listMembers(head.fields, 'upgrade').includes('websocket');
    if (isWebSocket && !this.#isDropped) this.messages = new MessageLog(this.#maxBodyBytes, this, head.fields);
    this.#changed();
  }

  onResponseBody(chunk: Buffer): void {
    if (this.#isDropped) return;
    this.#responseBody ??= new CapturedBody(this.#maxBodyBytes, this);
    this.#responseBody.add(chunk);
    this.#changed();
  }

  onResponseEnd(trailers: FieldLines): void {
    if (this.#isDropped) return;
    this.responseTrailers = trailers;
    if (trailers.length > 0) this.charge(sectionBytes(trailers));
  }

  onRelayed(direction: RelayDirection, chunk: Buffer): void {
    if (this.#isDropped) return;
    this.relayedBytes[direction] += chunk.length;
    this.messages?.push(direction, chunk, this.#nowMs());
    this.#changed();
  }

  onFinished(error: GiraffeError | undefined): void {
    if (this.#isDropped) return;
    this.error = error;
    this.times.endMs = this.#nowMs();
    this.#changed();
  }

  #nowMs(): number {
    return performance.now() - this.#startedMs;
  }

  #changed(): void {
    this.revision += 1;
    this.#keeper.changed(this);
  }
}

function sectionBytes(fields: FieldLines): number {
  let bytes = 0;
  for (const [name, value] of fields) bytes += name.length + value.length + lineCostBytes;
  return bytes;
}
