import type { Box } from '../../src/job.ts';

/** A text in a generated video. */
export interface ShownText {
  readonly text: string;
  /** Top left corner of the letters, in pixels. */
  readonly x: number;
  readonly y: number;
  /** Font size in pixels. */
  readonly size: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Duration of fading in and out; default none. */
  readonly fadeMs?: number;
  /** Pixels per second, to the right and down; default none. */
  readonly speed?: readonly [number, number];
  /** True if it has a background box; default true. */
  readonly isBoxed?: boolean;
}

export interface ShownObject {
  readonly label: string;
  readonly size: readonly [width: number, height: number];
  /** Top left corner at the start, and motion in pixels per second. */
  readonly corner: readonly [number, number];
  readonly speed: readonly [number, number];
  readonly fromMs: number;
  readonly toMs: number;
}

/** Content of a generated video, and thus what must be found in it. */
export interface Script {
  readonly name: string;
  readonly durationMs: number;
  /** A lavfi source of pictures. */
  readonly picture: string;
  readonly texts: readonly ShownText[];
  readonly objects: readonly ShownObject[];
  /** Number of scenes; undefined if it does not matter. */
  readonly cues: number | undefined;
  /** True if the picture itself resembles letters; additional text then counts as no error. */
  readonly isBusy?: boolean;
}

export const WIDTH = 1280;
export const HEIGHT = 720;
/** Average width of a letter as a share of the font size. */
const LETTER = 0.62;

export function widthOf({ text, size }: Pick<ShownText, 'text' | 'size'>): number {
  return text.length * size * LETTER;
}

/** Returns the x of a text in the centre of the frame. */
export function centred(text: string, size: number): number {
  return Math.round((WIDTH - widthOf({ text, size })) / 2);
}

/** Returns the visibility of a text, 0 to 1. */
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
