/** Functions that undo the steps of a start, called in reverse order. */
export class Closers {
  readonly #closers: (() => Promise<void> | void)[] = [];

  push(closer: () => Promise<void> | void): void {
    this.#closers.push(closer);
  }

  /** Calls every closer even if one fails, then rejects with the first error. May be called twice. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
