export interface BatcherOptions<Item, Result> {
  /** Returns one result per item, in order. Never runs twice at once. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly maxBatch: number;
  /** Items with the same key never share a batch: the later one waits for the next. */
  readonly keyOf?: (item: Item) => string;
  /**
   * Returns true if one item caused the failure. Each item of the batch is then run alone, so that only that one fails.
   */
  readonly isFaultOfItem?: (error: unknown) => boolean;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit with one batch in flight. Items that arrive meanwhile form the next batch, so batches grow with the load
 * and a single item never waits for a timer. Promises settle in the order of their items.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #running: Promise<void> | undefined;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  submit(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Resolves when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #drain(): Promise<void> {
    await new Promise(setImmediate); // everything submitted in this turn of the event loop shares the first batch
    while (this.#waiting.length > 0) await this.#runBatch(this.#takeBatch());
    this.#running = undefined;
  }

  #takeBatch(): readonly Waiting<Item, Result>[] {
    const { keyOf, maxBatch } = this.#options;
    if (keyOf === undefined) return this.#waiting.splice(0, maxBatch);
    const batch = new Map<string, Waiting<Item, Result>>();
    const left: Waiting<Item, Result>[] = [];
    for (const waiting of this.#waiting) {
      const key = keyOf(waiting.item);
      if (batch.size < maxBatch && !batch.has(key)) batch.set(key, waiting);
      else left.push(waiting);
    }
    this.#waiting = left;
    return [...batch.values()];
  }

  async #runBatch(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.run(batch.map(({ item }) => item));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index];
        if (result === undefined) reject(new Error(`no result for item ${index} of ${batch.length}`));
        else resolve(result);
      }
    } catch (error) {
      if (batch.length > 1 && this.#options.isFaultOfItem?.(error) === true) {
        for (const waiting of batch) await this.#runBatch([waiting]);
      } else {
        for (const { reject } of batch) reject(error);
      }
    }
  }
}
