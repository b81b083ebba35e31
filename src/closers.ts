/** What undoes the steps of a start, called in reverse. */
export class Closers {
  readonly #closers: (() => Promise<void> | void)[] = [];

  push(closer: () => Promise<void> | void): void {
    this.#closers.push(closer);
  }

  /** Calls every closer, also after one has failed; then rejects with the first failure. May be called twice. */
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
