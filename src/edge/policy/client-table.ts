/**
 * What is remembered of each client address, within a bound. IPv6 clients are known by their /64, which is one
 * subscriber's (RFC 6177 section 2).
 */

/** Clients that one table remembers. */
const defaultMaxClients = 10_000;

/** Values by client address; the one that was used longest ago gives way to a new one. */
export class ClientTable<T> {
  readonly #create: () => T;
  readonly #mayForget: (value: T) => boolean;
  readonly #maxClients: number;
  /** In the order of their last use. */
  readonly #values = new Map<string, T>();
  /** The one that was used last: most requests come in runs of one client. */
  #last: { readonly address: string; readonly value: T } | undefined;

  /**
   * @param create Makes the value of a client that is new.
   * @param mayForget Whether a value may be dropped for another client's. When not even the oldest may, it goes all the
   *   same: a flood of addresses must not fill the memory.
   */
  constructor(create: () => T, mayForget: (value: T) => boolean = () => true, maxClients = defaultMaxClients) {
    this.#create = create;
    this.#mayForget = mayForget;
    this.#maxClients = maxClients;
  }

  /** Clients that are remembered. */
  get size(): number {
    return this.#values.size;
  }

  /** Returns the value of a client, and makes it the one that was used last. */
  of(address: string): T {
    if (this.#last?.address === address) return this.#last.value;
    const key = clientKey(address);
    const known = this.#values.get(key);
    if (known !== undefined) this.#values.delete(key);
    else if (this.#values.size >= this.#maxClients) this.#makeRoom();
    const value = known ?? this.#create();
    this.#values.set(key, value);
    this.#last = { address, value };
    return value;
  }

  /** Returns the value of a client if it is remembered. */
  peek(address: string): T | undefined {
    return this.#values.get(clientKey(address));
  }

  /** All values, the one that was used longest ago first. */
  get values(): Iterable<T> {
    return this.#values.values();
  }

  /** Looks at a few of the oldest for one that says nothing any more; else takes the oldest. */
  #makeRoom(): void {
    let oldest: string | undefined;
    let looked = 0;
    for (const [key, value] of this.#values) {
      oldest ??= key;
      if (this.#mayForget(value)) {
        this.#values.delete(key);
        return;
      }
      looked += 1;
      if (looked === lookAtMost) break;
    }
    if (oldest !== undefined) this.#values.delete(oldest);
  }
}

/** Values looked at to make room. */
const lookAtMost = 8;

/** Names a client: an IPv4 address as it is, an IPv6 address by its first four groups, without a zone. */
export function clientKey(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [plain = ''] = address.split('%');
  const [head = '', tail] = plain.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0);
    while (groups.length + behind < 8) groups.push('0');
    if (tail !== '') groups.push(...tail.split(':'));
  }
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':');
}
