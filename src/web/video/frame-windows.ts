import type { Box, FrameResult } from '../../client/responses.ts';

export interface Finding {
  /** A detection's label, or a line's text. */
  readonly name: string;
  readonly kind: 'object' | 'text';
  readonly confidence: number;
  readonly bbox: Box;
}

/** One analysed frame. */
export interface FrameView {
  readonly frameIndex: number;
  readonly timestampMs: number;
  readonly findings: readonly Finding[];
}

/** Reads the frames between two times. */
export type LoadFrames = (fromMs: number, toMs: number) => Promise<readonly FrameResult[]>;

export interface FrameWindowsOptions {
  readonly load: LoadFrames;
  /** Time between two analysed frames; null if unknown. */
  readonly stepMs: number | null;
  /** Length of the video. */
  readonly endMs: number;
  /** End of the last finding. */
  readonly foundMs: number;
}

/** Frames in a window at the usual step. */
const FRAMES_PER_WINDOW = 256;
const MIN_WINDOW_MS = 2_000;
/** Used if the time between two analysed frames is unknown. */
const UNKNOWN_STEP_MS = 100;
/** Number of kept windows around current and earlier positions. */
const KEPT = 8;
/** Number of empty windows that are skipped in the search for the next frame. */
const MAX_EMPTY = 64;

/**
 * The frames of a job around the current position, read in windows of time, so that a video with 200,000 frames needs
 * as little memory as one with 2,000.
 */
export class FrameWindows {
  readonly windowMs: number;
  readonly #stepMs: number;
  readonly #load: LoadFrames;
  readonly #endMs: number;
  readonly #foundMs: number;
  readonly #loaded = new Map<number, readonly FrameView[]>();
  readonly #loading = new Map<number, Promise<readonly FrameView[]>>();

  constructor({ load, stepMs, endMs, foundMs }: FrameWindowsOptions) {
    this.#load = load;
    this.#stepMs = stepMs ?? UNKNOWN_STEP_MS;
    this.#endMs = endMs;
    this.#foundMs = foundMs;
    this.windowMs = Math.max(MIN_WINDOW_MS, Math.ceil(this.#stepMs) * FRAMES_PER_WINDOW);
  }

  /** Returns the frame at a time if its window is loaded; null without an analysed frame, undefined if unknown. */
  frameAt(ms: number): FrameView | null | undefined {
    const number = this.#numberOf(ms);
    const near = [number - 1, number, number + 1].map((each) => (this.#isOutside(each) ? [] : this.#loaded.get(each)));
    if (near.some((frames) => frames === undefined)) return undefined;
    const frames = near.flatMap((each) => each ?? []);
    const index = frames.findLastIndex(({ timestampMs }) => timestampMs <= ms + 0.5);
    const frame = frames[index];
    if (frame === undefined) return null;
    // A frame is shown until the next one; the last as long as the others.
    if (index < frames.length - 1) return frame;
    const before = frames[index - 1]?.timestampMs ?? frame.timestampMs - this.#stepMs;
    return ms >= Math.max(2 * frame.timestampMs - before, this.#foundMs) ? null : frame;
  }

  /** Reads the window around a time. Resolves when it is loaded; rejects like the load. */
  async around(ms: number): Promise<void> {
    const number = this.#numberOf(ms);
    await Promise.all([number - 1, number, number + 1].map((near) => this.#window(near)));
  }

  /** Returns the next or previous analysed frame; null if there is none. */
  async neighbour(ms: number, by: -1 | 1): Promise<FrameView | null> {
    const first = this.#numberOf(ms);
    for (let passed = 0; passed < MAX_EMPTY; passed += 1) {
      const number = first + by * passed;
      if (this.#isOutside(number)) return null;
      const frames = await this.#window(number);
      const found =
        by === 1
          ? frames.find(({ timestampMs }) => timestampMs > ms + 0.5)
          : frames.findLast(({ timestampMs }) => timestampMs < ms - 0.5);
      if (found !== undefined) return found;
    }
    return null;
  }

  #numberOf(ms: number): number {
    return Math.floor(Math.max(0, ms + 0.5) / this.windowMs);
  }

  #isOutside(number: number): boolean {
    return number < 0 || number * this.windowMs > Math.max(this.#endMs, this.#foundMs);
  }

  async #window(number: number): Promise<readonly FrameView[]> {
    if (this.#isOutside(number)) return [];
    const known = this.#loaded.get(number);
    if (known !== undefined) {
      // The most recently used is last.
      this.#loaded.delete(number);
      this.#loaded.set(number, known);
      return known;
    }
    const loading = this.#loading.get(number) ?? this.#read(number);
    this.#loading.set(number, loading);
    return loading;
  }

  async #read(number: number): Promise<readonly FrameView[]> {
    try {
      const frames = (await this.#load(number * this.windowMs, (number + 1) * this.windowMs)).map((frame) =>
        viewOf(frame),
      );
      this.#loaded.set(number, frames);
      for (const oldest of [...this.#loaded.keys()].slice(0, -KEPT)) this.#loaded.delete(oldest);
      return frames;
    } finally {
      this.#loading.delete(number);
    }
  }
}

function viewOf({ frame_index: frameIndex, result }: FrameResult): FrameView {
  const objects = (result.detections ?? []).map(({ label: name, confidence, bbox }) => ({ name, confidence, bbox }));
  const texts = (result.lines ?? []).map(({ text: name, confidence, bbox }) => ({ name, confidence, bbox }));
  return {
    frameIndex,
    timestampMs: result.timestamp_ms,
    findings: [
      ...objects.map((finding) => ({ ...finding, kind: 'object' as const })),
      ...texts.map((finding) => ({ ...finding, kind: 'text' as const })),
    ],
  };
}
