import type { Box } from '../../src/job.ts';

/** A text in a made video. */
export interface ShownText {
  readonly text: string;
  /** Of the top left corner of the letters, in pixels. */
  readonly x: number;
  readonly y: number;
  /** Of the font, in pixels. */
  readonly size: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Time in which it fades in, and out; default none. */
  readonly fadeMs?: number;
  /** Pixels a second, to the right and down; default none. */
  readonly speed?: readonly [number, number];
  /** True when it is written in a box, default true. */
  readonly isBoxed?: boolean;
}

export interface ShownObject {
  readonly label: string;
  readonly size: readonly [width: number, height: number];
  /** Where its top left corner is at the beginning, and how it moves, in pixels a second. */
  readonly corner: readonly [number, number];
  readonly speed: readonly [number, number];
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a made video shows, and thereby what is to be found in it. */
export interface Script {
  readonly name: string;
  readonly durationMs: number;
  /** A source of pictures as lavfi names it. */
  readonly picture: string;
  readonly texts: readonly ShownText[];
  readonly objects: readonly ShownObject[];
  /** Number of scenes; undefined where it does not matter. */
  readonly cues: number | undefined;
  /** True when letters are seen in the picture itself: what is read beyond the texts counts as no mistake of segments. */
  readonly isBusy?: boolean;
}

export const WIDTH = 1280;
export const HEIGHT = 720;
/** Width of a letter as a part of the font's size, on average. */
const LETTER = 0.62;

export function widthOf({ text, size }: Pick<ShownText, 'text' | 'size'>): number {
  return text.length * size * LETTER;
}

/** The x of a text in the middle of the frame. */
export function centred(text: string, size: number): number {
  return Math.round((WIDTH - widthOf({ text, size })) / 2);
}

/** How strongly a text is seen, 0 to 1. */
export function alphaAt({ fromMs, toMs, fadeMs = 0 }: ShownText, timeMs: number): number {
  if (timeMs < fromMs || timeMs >= toMs) return 0;
  if (fadeMs === 0) return 1;
  return Math.min(1, (timeMs - fromMs) / fadeMs, (toMs - timeMs) / fadeMs);
}

export function boxOf(shown: ShownText, timeMs: number): Box {
  const [right, down] = shown.speed ?? [0, 0];
  const passed = (timeMs - shown.fromMs) / 1000;
  return [shown.x + right * passed, shown.y + down * passed, widthOf(shown), shown.size];
}
