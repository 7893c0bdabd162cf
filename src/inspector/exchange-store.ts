/**
 * The last exchanges of an agent, as many as fit: a count and a number of octets.
 *
 * When it is full, the exchange that was over first makes room; when none is over, the oldest one does. Whoever watches
 * hears of changes together, a few times per second, however many exchanges pass.
 */
import { randomBytes } from 'node:crypto';
import { ExchangeRecord, type RecordKeeper } from './exchange-record.ts';
import type { ExchangeBeginning, ExchangeTap } from './exchange-tap.ts';

/** How much is kept. */
export interface StoreLimits {
  /** Exchanges, a count. */
  readonly maxExchanges: number;
  /** Octets of all of them. */
  readonly maxBytes: number;
  /** Octets of one body, and of all messages of one WebSocket. */
  readonly maxBodyBytes: number;
}

/** What changed since the last time. */
export interface StoreChanges {
  readonly changed: readonly ExchangeRecord[];
  /** Ids of records that were dropped. */
  readonly dropped: readonly string[];
}

/** Time in which changes are gathered, in milliseconds. */
const gatherMs = 100;

/** Keeps the last exchanges. */
export class ExchangeStore implements RecordKeeper {
  readonly limits: StoreLimits;
  /** By number, in the order in which they began. */
  readonly #records = new Map<number, ExchangeRecord>();
  /** Those that are over, in the order in which they ended. */
  #over: ExchangeRecord[] = [];
  readonly #watchers = new Set<(changes: StoreChanges) => void>();
  readonly #changed = new Set<ExchangeRecord>();
  readonly #dropped = new Set<string>();
  /** So that ids of an agent that was started again are not those of its predecessor. */
  readonly #prefix = randomBytes(3).toString('hex');
  #count = 0;
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: StoreLimits) {
    this.limits = limits;
  }

  /** Octets that are held, roughly. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Exchanges that are kept, the latest first. */
  list(): ExchangeRecord[] {
    return [...this.#records.values()].reverse();
  }

  get(id: string): ExchangeRecord | undefined {
    const record = this.#records.get(Number(id.slice(this.#prefix.length + 1)));
    return record?.id === id ? record : undefined;
  }

  /** Begins a record. */
  open(beginning: ExchangeBeginning): ExchangeTap & { readonly id: string } {
    this.#count += 1;
    const record = new ExchangeRecord(this.#prefix, this.#count, beginning, this.limits.maxBodyBytes, this);
    this.#records.set(record.number, record);
    record.begin();
    if (this.#records.size > this.limits.maxExchanges) this.#makeRoom();
    return record;
  }

  /** Drops everything. What is still going on is no longer recorded. */
  clear(): void {
    this.#over = [];
    for (const record of [...this.#records.values()]) this.#drop(record);
  }

  /** Calls `listener` with what changed, from now on. */
  watch(listener: (changes: StoreChanges) => void): Disposable {
    this.#watchers.add(listener);
    return {
      [Symbol.dispose]: () => {
        this.#watchers.delete(listener);
        if (this.#watchers.size === 0) this.#forget();
      },
    };
  }

  // The records' side.

  charge(record: ExchangeRecord, bytes: number): void {
    record.heldBytes += bytes;
    this.#heldBytes += bytes;
    while (this.#heldBytes > this.limits.maxBytes && this.#records.size > 0) this.#makeRoom();
  }

  changed(record: ExchangeRecord): void {
    if (this.#watchers.size === 0) return;
    this.#changed.add(record);
    this.#tellSoon();
  }

  finished(record: ExchangeRecord): void {
    this.#over.push(record);
  }

  #makeRoom(): void {
    const record = this.#over.shift() ?? this.#records.values().next().value;
    if (record !== undefined) this.#drop(record);
  }

  #drop(record: ExchangeRecord): void {
    this.#records.delete(record.number);
    this.#heldBytes -= record.heldBytes;
    record.drop();
    if (this.#watchers.size === 0) return;
    this.#changed.delete(record);
    this.#dropped.add(record.id);
    this.#tellSoon();
  }

  #tellSoon(): void {
    this.#timer ??= setTimeout(() => this.#tell(), gatherMs).unref();
  }

  #tell(): void {
    const changes: StoreChanges = { changed: [...this.#changed], dropped: [...this.#dropped] };
    this.#forget();
    for (const watcher of [...this.#watchers]) watcher(changes);
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#changed.clear();
    this.#dropped.clear();
  }
}
