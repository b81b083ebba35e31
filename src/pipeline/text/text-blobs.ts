import { connectedAreas, type ConnectedArea } from './connected-areas.ts';
import type { TextMap } from './text-map.ts';

// Thresholds of PP-OCR for the probability of a pixel and the mean of a blob.
const TEXT_PIXEL = 0.3;
const TEXT_BLOB = 0.6;
const SMALLEST_SIDE = 3;

/** Returns the connected areas of a map whose mean probability is that of text, in scan order. */
export function textBlobs({ data, width, height }: TextMap): ConnectedArea[] {
  return connectedAreas(width, height, (at) => (data[at] ?? 0) > TEXT_PIXEL).filter(
    ({ left, top, right, bottom, pixels }) => {
      const sum = pixels.reduce((total, at) => total + (data[at] ?? 0), 0);
      return Math.min(right - left, bottom - top) >= SMALLEST_SIDE && sum / pixels.length >= TEXT_BLOB;
    },
  );
}
