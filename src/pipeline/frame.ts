/** One sampled frame, upright and in display proportions, as a player shows it. */
export interface Frame {
  /** Number of the decoded frame in display order, from 0. */
  readonly index: number;
  /** Presentation time in milliseconds. */
  readonly timestampMs: number;
  readonly width: number;
  readonly height: number;
  /** RGB, 8 bits each, `width * height * 3` bytes without padding. */
  readonly rgb: Uint8Array;
}
