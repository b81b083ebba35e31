import { connectedAreas, type ConnectedArea } from './connected-areas.ts';
import type { TextMap } from './text-map.ts';

// Thresholds of PP-OCR for the probability of a pixel and the mean of a blob.
const TEXT_PIXEL = 0.3;
const TEXT_BLOB = 0.6;
const SMALLEST_SIDE = 3;

/** Returns the connected areas of a map whose mean probability is that of text, in scan order. */
export function textBlobs({ data, width, height }: TextMap): ConnectedArea[] {
  const marks = new Uint8Array(width * height);
  for (let at = 0; at < marks.length; at++) marks[at] = (data[at] ?? 0) > TEXT_PIXEL ? 1 : 0;
  return connectedAreas(width, height, marks).filter(({ left, top, right, bottom, pixels }) => {
    if (Math.min(right - left, bottom - top) < SMALLEST_SIDE) return false;
    let sum = 0;
    for (const at of pixels) sum += data[at] ?? 0;
    return sum / pixels.length >= TEXT_BLOB;
  });
}
