/** Number of intervals for the median: enough for a variable frame rate. */
const REMEMBERED = 101;
/** For a video with one sample. */
const LONE_SAMPLE_MS = 1000;

/** Determines the distance of samples. */
export class SampleClock {
  readonly #intervals: number[] = [];
  #next = 0;
  #lastMs: number | undefined;

  /** @returns false and ignores the time if it is not later than the previous one */
  tick(timeMs: number): boolean {
    if (!Number.isFinite(timeMs) || (this.#lastMs !== undefined && timeMs <= this.#lastMs)) return false;
    if (this.#lastMs !== undefined) {
      this.#intervals[this.#next] = timeMs - this.#lastMs;
      this.#next = (this.#next + 1) % REMEMBERED;
    }
    this.#lastMs = timeMs;
    return true;
  }

  get lastMs(): number {
    return this.#lastMs ?? 0;
  }

  /** The median of the last intervals. */
  get stepMs(): number {
    const sorted = this.#intervals.toSorted((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? LONE_SAMPLE_MS;
  }

  /** Returns the end of the last sample, to a microsecond. */
  get endMs(): number {
    return Math.round((this.lastMs + this.stepMs) * 1000) / 1000;
  }
}
