import { checkLimit } from './limits.ts';
import type { VideoLimits } from './limits.ts';

/** Pixels that any file may have: about a minute of work. */
const FREE_PIXELS = 20_000_000_000;

/** Converting and analysing a frame costs as much as decoding this many. */
const CONVERSION_WEIGHT = 4;

/**
 * Limit of the decoding cost, in total and per byte of the file. Seventeen bytes can repeat a frame of 33 million
 * pixels; real videos, black ones included, have at most 70,000 pixels per byte.
 */
export class PixelBudget {
  readonly #limits: VideoLimits;
  readonly #fileBytes: number;
  #decoded = 0;
  #weighted = 0;

  constructor(limits: VideoLimits, fileBytes: number) {
    this.#limits = limits;
    this.#fileBytes = Math.max(1, fileBytes);
  }

  /** Counts a decoded picture. Throws `too_large` beyond the budget. */
  decode(pixels: number): void {
    this.#decoded += pixels;
    checkLimit(this.#limits, 'maxDecodedPixels', this.#decoded);
    this.#spend(pixels);
  }

  /** Counts a converted and analysed picture. Throws `too_large` beyond the budget. */
  convert(pixels: number): void {
    this.#spend(pixels * CONVERSION_WEIGHT);
  }

  #spend(pixels: number): void {
    this.#weighted += pixels;
    if (this.#weighted <= FREE_PIXELS) return;
    checkLimit(this.#limits, 'maxPixelsPerByte', Math.ceil((this.#weighted - FREE_PIXELS) / this.#fileBytes));
  }
}
