import { AV_NOPTS_VALUE } from 'node-av/constants';
import type { IRational } from 'node-av';

const MICROSECONDS = 1_000_000n;

/** Converts a track's ticks into milliseconds. */
export class PresentationClock {
  readonly #timeBase: IRational;
  readonly #frameMs: number;
  #lastMs: number | undefined;

  /** `frameRate` spaces frames without a time; 25 per second if it is unknown too. */
  constructor(timeBase: IRational, frameRate: IRational) {
    this.#timeBase = timeBase;
    this.#frameMs = frameRate.num > 0 && frameRate.den > 0 ? (1000 * frameRate.den) / frameRate.num : 40;
  }

  /** Returns the presentation time of the next frame in display order, in milliseconds, rounded to a microsecond. */
  next(ticks: bigint): number {
    const ms = ticks === AV_NOPTS_VALUE ? this.#guess() : ticksToMs(ticks, this.#timeBase);
    this.#lastMs = ms;
    return ms;
  }

  /** Returns the time of a frame that is not decoded; undefined if it has none. */
  timeOf(ticks: bigint): number | undefined {
    return ticks === AV_NOPTS_VALUE ? undefined : ticksToMs(ticks, this.#timeBase);
  }

  #guess(): number {
    return this.#lastMs === undefined ? 0 : Math.round((this.#lastMs + this.#frameMs) * 1000) / 1000;
  }
}

/** Rounds to a whole microsecond, halves away from zero. */
function ticksToMs(ticks: bigint, timeBase: IRational): number {
  const doubled = (2n * ticks * BigInt(timeBase.num) * MICROSECONDS) / BigInt(timeBase.den);
  return Number((doubled + (doubled < 0n ? -1n : 1n)) / 2n) / 1000;
}
