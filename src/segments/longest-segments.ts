/** More than a day of subtitles; a video with more is noise. */
const MOST = 100_000;

/**
 * Keeps segments in bounded memory. If there are too many, the shorter half is dropped, later ones of equal length
 * first.
 */
export class LongestSegments<T> {
  readonly #durationOf: (segment: T) => number;
  readonly #most: number;
  #kept: T[] = [];

  constructor(durationOf: (segment: T) => number, most = MOST) {
    this.#durationOf = durationOf;
    this.#most = most;
  }

  add(segment: T): void {
    this.#kept.push(segment);
    if (this.#kept.length <= this.#most) return;
    const longest = this.#kept.toSorted((a, b) => this.#durationOf(b) - this.#durationOf(a));
    const staying = new Set(longest.slice(0, Math.ceil(this.#most / 2)));
    this.#kept = this.#kept.filter((kept) => staying.has(kept));
  }

  /** In the order of their addition. */
  values(): readonly T[] {
    return this.#kept;
  }
}
