export interface TokenBucketsOptions {
  /** Tokens added per second. */
  readonly perSecond: number;
  /** Capacity of a bucket. */
  readonly burst: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** Number of buckets kept. The one unused for longest is dropped first and is most likely full anyway. */
const MAX_BUCKETS = 10_000;

/** A token bucket per name. */
export class TokenBuckets {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor({ perSecond, burst, now = () => performance.now() }: TokenBucketsOptions) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#now = now;
  }

  /** Takes a token. @returns 0, or the whole seconds until there is one */
  take(name: string): number {
    const atMs = this.#now();
    const last = this.#buckets.get(name) ?? { tokens: this.#burst, atMs };
    const tokens = Math.min(this.#burst, last.tokens + ((atMs - last.atMs) / 1000) * this.#perSecond);
    const granted = tokens >= 1;
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: granted ? tokens - 1 : tokens, atMs });
    const [oldest] = this.#buckets.size > MAX_BUCKETS ? this.#buckets.keys() : [];
    if (oldest !== undefined) this.#buckets.delete(oldest);
    return granted ? 0 : Math.ceil((1 - tokens) / this.#perSecond);
  }
}
