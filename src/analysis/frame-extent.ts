import type { FrameResult } from '../job.ts';

export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** Returns the smallest frame that contains every box, for videos whose size was not stored. */
export async function extentOf(frames: AsyncIterable<FrameResult>): Promise<FrameSize> {
  let [width, height] = [1, 1];
  for await (const { result } of frames) {
    for (const { bbox } of [...(result.lines ?? []), ...(result.detections ?? [])]) {
      width = Math.max(width, bbox[0] + bbox[2]);
      height = Math.max(height, bbox[1] + bbox[3]);
    }
  }
  return { width, height };
}
