import type { Box, FrameResult } from '../../src/job.ts';

/** A line for a test: `text` alone is at the bottom centre, like subtitles. */
export type Written = string | { readonly text: string; readonly bbox?: Box; readonly confidence?: number };

const STEP_MS = 200;

/** Frames every 200 ms with these lines. */
export function framesOf(...samples: readonly (readonly Written[])[]): FrameResult[] {
  return samples.map((written, at) => {
    const lines = written.map((line) => {
      const { text, bbox = place(0), confidence = 0.95 } = typeof line === 'string' ? { text: line } : line;
      return { text, bbox, confidence };
    });
    return { frame_index: at * 5, result: { timestamp_ms: at * STEP_MS, lines } };
  });
}

/** The box of a line in the given row of the frame, or elsewhere in the row. */
export function place(row: number, x = 400, width = 480): Box {
  return [x, 600 - row * 60, width, 44];
}

/** Repeats an item. */
export function times(count: number, ...written: readonly Written[]): (readonly Written[])[] {
  return Array.from({ length: count }, () => written);
}
