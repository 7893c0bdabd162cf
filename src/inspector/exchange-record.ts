/**
 * One exchange as the inspector keeps it: fed by the agent while it passes, read by the API.
 *
 * It does not decide what is kept for how long; a record that was dropped takes nothing more.
 */
import { performance } from 'node:perf_hooks';
import type { GiraffeError } from '../errors/giraffe-error.ts';
import { type FieldLines, listMembers } from '../http/field-line.ts';
import type { ResponseHead } from '../http/message.ts';
import { CapturedBody, type OctetAccount } from './captured-body.ts';
import type { ExchangeBeginning, ExchangeTap, RelayDirection } from './exchange-tap.ts';
import { keepRequest, keepResponse, keptRequest, keptResponse } from './kept-head.ts';
import { MessageLog } from './message-log.ts';

/** When things happened, in milliseconds since the agent received the head of the request. */
export interface ExchangeTimes {
  /** A connection to the origin was there. */
  readonly connectedMs: number | undefined;
  /** The request was passed on whole. */
  readonly requestEndMs: number | undefined;
  /** The final response head came, or the 101. */
  readonly headMs: number | undefined;
  readonly endMs: number | undefined;
}

/** What a record needs of whoever keeps it. */
export interface RecordKeeper {
  /** Takes note that a record costs `bytes` more octets. */
  charge(record: ExchangeRecord, bytes: number): void;
  /** Takes note that a record says something new. */
  changed(record: ExchangeRecord): void;
  /** Takes note that nothing more comes for a record. Called once. */
  finished(record: ExchangeRecord): void;
}

/** Octets that a record costs besides its texts and bodies, and a line of trailers besides its text, roughly. */
const recordCostBytes = 1024;
const lineCostBytes = 64;
const noTrailers: FieldLines = [];
const noInterim: readonly number[] = [];
const nothingRelayed: Readonly<Record<RelayDirection, number>> = { toOrigin: 0, toClient: 0 };
/** A time that has not come. */
const never = -1;

/**
 * One recorded exchange.
 *
 * Thousands come and go per second, and V8 copies each that is kept: it has as few objects as it can do with, and times as
 * whole microseconds, since a number with a fraction is an object.
 */
export class ExchangeRecord implements ExchangeTap, OctetAccount {
  /** Unique, and ascending in the order in which exchanges began. */
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly startedAtMs = Date.now();
  /** Whether the origin was spoken to on a kept connection. */
  isReused = false;
  requestTrailers = noTrailers;
  responseTrailers = noTrailers;
  error: GiraffeError | undefined;
  messages: MessageLog | undefined;
  /** Grows with everything new. */
  revision = 0;
  /** What it costs, in octets. For its keeper. */
  heldBytes = 0;
  readonly #idPrefix: string;
  readonly #targetName: string | undefined;
  readonly #target: string;
  readonly #carrier: ExchangeBeginning['carrier'];
  readonly #upgrade: string | undefined;
  readonly #replayOf: string | undefined;
  readonly #request: string;
  #response: string | undefined;
  readonly #keeper: RecordKeeper;
  readonly #maxBodyBytes: number;
  readonly #startedMs = performance.now();
  #connectedMicros = never;
  #requestEndMicros = never;
  #headMicros = never;
  #endMicros = never;
  #interim: number[] | undefined;
  #relayedBytes: Record<RelayDirection, number> | undefined;
  #requestBody: CapturedBody | undefined;
  #responseBody: CapturedBody | undefined;
  #isDropped = false;

  /**
   * @param idPrefix What its id has before its number.
   * @param maxBodyBytes Octets kept of each body, and of all messages of a WebSocket.
   */
  constructor(
    idPrefix: string,
    number: number,
    beginning: ExchangeBeginning,
    maxBodyBytes: number,
    keeper: RecordKeeper,
  ) {
    this.#idPrefix = idPrefix;
    this.number = number;
    this.#targetName = beginning.targetName;
    this.#target = beginning.target;
    this.#carrier = beginning.carrier;
    this.#upgrade = beginning.upgrade;
    this.#replayOf = beginning.replayOf;
    this.#request = keepRequest(beginning.endpoint, beginning.head);
    this.#maxBodyBytes = maxBodyBytes;
    this.#keeper = keeper;
  }

  get id(): string {
    return `${this.#idPrefix}-${this.number}`;
  }

  /** Pays for the record itself; its keeper knows it by then. */
  begin(): void {
    this.charge(recordCostBytes + this.#request.length);
    this.#changed();
  }

  get beginning(): ExchangeBeginning {
    return {
      ...keptRequest(this.#request),
      targetName: this.#targetName,
      target: this.#target,
      carrier: this.#carrier,
      upgrade: this.#upgrade,
      replayOf: this.#replayOf,
    };
  }

  /** The final head, or the 101. */
  get response(): ResponseHead | undefined {
    return this.#response === undefined ? undefined : keptResponse(this.#response);
  }

  get times(): ExchangeTimes {
    return {
      connectedMs: milliseconds(this.#connectedMicros),
      requestEndMs: milliseconds(this.#requestEndMicros),
      headMs: milliseconds(this.#headMicros),
      endMs: milliseconds(this.#endMicros),
    };
  }

  /** Statuses of interim answers, the latest 16. */
  get interim(): readonly number[] {
    return this.#interim ?? noInterim;
  }

  /** Of an upgraded connection, other than a WebSocket too: octets each way. */
  get relayedBytes(): Readonly<Record<RelayDirection, number>> {
    return this.#relayedBytes ?? nothingRelayed;
  }

  /** Whether the exchange is still going on. */
  get isLive(): boolean {
    return this.#endMicros === never;
  }

  get requestBody(): CapturedBody | undefined {
    return this.#requestBody;
  }

  get responseBody(): CapturedBody | undefined {
    return this.#responseBody;
  }

  /** Milliseconds since it began, or until it ended. */
  get durationMs(): number {
    return (this.isLive ? this.#nowMicros() : this.#endMicros) / 1000;
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
    if (this.#requestEndMicros === never) this.#requestEndMicros = this.#nowMicros();
    this.requestTrailers = trailers;
    if (trailers.length > 0) this.charge(sectionBytes(trailers));
  }

  onConnected(isReused: boolean): void {
    if (this.#isDropped) return;
    this.#connectedMicros = this.#nowMicros();
    this.isReused = isReused;
  }

  onResponseHead(head: ResponseHead): void {
    if (this.#isDropped) return;
    if (head.status < 200 && head.status !== 101) {
      this.#interim ??= [];
      if (this.#interim.length === 16) this.#interim.shift();
      this.#interim.push(head.status);
      return;
    }
    this.#response = keepResponse(head);
    this.#headMicros = this.#nowMicros();
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
    this.#relayedBytes ??= { ...nothingRelayed };
    this.#relayedBytes[direction] += chunk.length;
    this.messages?.push(direction, chunk, this.#nowMicros() / 1000);
    this.#changed();
  }

  onFinished(error: GiraffeError | undefined): void {
    if (this.#isDropped) return;
    this.error = error;
    this.#endMicros = this.#nowMicros();
    this.#keeper.finished(this);
    this.#changed();
  }

  #nowMicros(): number {
    return Math.round((performance.now() - this.#startedMs) * 1000);
  }

  #changed(): void {
    this.revision += 1;
    this.#keeper.changed(this);
  }
}

function milliseconds(micros: number): number | undefined {
  return micros === never ? undefined : micros / 1000;
}

function sectionBytes(fields: FieldLines): number {
  let bytes = 0;
  for (const [name, value] of fields) bytes += name.length + value.length + lineCostBytes;
  return bytes;
}
