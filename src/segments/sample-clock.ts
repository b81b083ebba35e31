/** Intervals of which the median is taken: enough to see through a variable frame rate. */
const REMEMBERED = 101;
/** Of a video with one sample. */
const LONE_SAMPLE_MS = 1000;

/** Tells how far the samples are apart. */
export class SampleClock {
  readonly #intervals: number[] = [];
  #next = 0;
  #lastMs: number | undefined;

  /** @returns false, and forgets the time, when it is not later than the one before */
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

  /** Where the last sample ends, to a microsecond. */
  get endMs(): number {
    return Math.round((this.lastMs + this.stepMs) * 1000) / 1000;
  }
}
