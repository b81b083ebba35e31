import type { FrameResult } from '../job.ts';

export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** The smallest frame that holds every box: what is known of its size where the video's own was not kept. */
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
