import type { TextMap } from './text-map.ts';

// Thresholds of PP-OCR for the probability of a pixel and the mean of a blob.
const TEXT_PIXEL = 0.3;
const TEXT_BLOB = 0.6;
const SMALLEST_SIDE = 3;

/** A connected area of text in a map, in its pixels; `right` and `bottom` are one past the last pixel. */
export interface TextBlob {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Places of its pixels in the map: y * width + x. */
  readonly pixels: Int32Array;
}

/** Returns the connected areas (8 neighbours) whose mean probability is that of text, in scan order. */
export function textBlobs({ data, width, height }: TextMap): TextBlob[] {
  const blobs: TextBlob[] = [];
  const seen = new Uint8Array(data.length);
  const queue = new Int32Array(data.length);
  for (let start = 0; start < data.length; start++) {
    if ((data[start] ?? 0) <= TEXT_PIXEL || seen[start]) continue;
    let count = 0;
    let [left, top, right, bottom] = [width, height, 0, 0];
    let sum = 0;
    seen[start] = 1;
    queue[count++] = start;
    for (let next = 0; next < count; next++) {
      const at = queue[next] ?? 0;
      const x = at % width;
      const y = (at - x) / width;
      sum += data[at] ?? 0;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
      const lastColumn = Math.min(width - 1, x + 1);
      const lastRow = Math.min(height - 1, y + 1);
      for (let row = Math.max(0, y - 1); row <= lastRow; row++) {
        for (let column = Math.max(0, x - 1); column <= lastColumn; column++) {
          const neighbour = row * width + column;
          if (seen[neighbour] || (data[neighbour] ?? 0) <= TEXT_PIXEL) continue;
          seen[neighbour] = 1;
          queue[count++] = neighbour;
        }
      }
    }
    if (Math.min(right - left, bottom - top) < SMALLEST_SIDE || sum / count < TEXT_BLOB) continue;
    blobs.push({ left, top, right, bottom, pixels: queue.slice(0, count) });
  }
  return blobs;
}
