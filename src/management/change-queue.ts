/**
 * What a page that reads slowly has not been told yet. It stays small: changes of one exchange are one change, and a page
 * that is too far behind is told everything anew.
 */
import type { ExchangeRecord } from '../inspector/exchange-record.ts';
import type { StoreChanges } from '../inspector/exchange-store.ts';

/** Ids of dropped exchanges that are remembered; more than are ever kept would be of no use. */
const maxDropped = 5000;

/** Changes that wait for one reader, who knows nothing yet. */
export class ChangeQueue {
  readonly #changed = new Set<ExchangeRecord>();
  readonly #dropped = new Set<string>();
  #isLost = true;

  add({ changed, dropped }: StoreChanges): void {
    for (const record of changed) this.#changed.add(record);
    for (const id of dropped) this.#dropped.add(id);
    for (const record of this.#changed) if (this.#dropped.has(record.id)) this.#changed.delete(record);
    if (this.#dropped.size > maxDropped) this.#isLost = true;
    if (this.#isLost) this.#dropped.clear();
  }

  /** Returns what waits, and forgets it; `undefined` when the reader is to be told everything. */
  take(): StoreChanges | undefined {
    const changes = this.#isLost ? undefined : { changed: [...this.#changed], dropped: [...this.#dropped] };
    this.#changed.clear();
    this.#dropped.clear();
    this.#isLost = false;
    return changes;
  }
}
