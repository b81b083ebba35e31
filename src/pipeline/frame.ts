/** One sampled frame as a player shows it, upright and with square pixels. */
export interface Frame {
  /** Index of the decoded frame in display order, from 0. */
  readonly index: number;
  /** Presentation time in milliseconds. */
  readonly timestampMs: number;
  readonly width: number;
  readonly height: number;
  /** RGB, 8 bits each, `width * height * 3` bytes without padding. */
  readonly rgb: Uint8Array;
}
