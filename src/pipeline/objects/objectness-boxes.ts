import { bestClass, edges, type Candidate } from './detector-format.ts';

/** Centre, size and objectness precede the class scores. */
export const BOX_CHANNELS = 5;

/**
 * Returns the boxes of N x (centre x, centre y, width, height, objectness, class scores), the first four in pixels of the
 * input. The confidence is objectness times class score.
 */
export function objectnessBoxes(data: Float32Array, labels: number, minConfidence: number): Candidate[] {
  const found: Candidate[] = [];
  for (let start = 0; start < data.length; start += BOX_CHANNELS + labels) {
    const objectness = data[start + 4] ?? 0;
    if (objectness < minConfidence) continue;
    const { label, score } = bestClass(data, start + BOX_CHANNELS, labels);
    const confidence = score * objectness;
    if (confidence < minConfidence) continue;
    const [x = 0, y = 0, width = 0, height = 0] = data.subarray(start, start + 4);
    found.push({ label, confidence, ...edges(x, y, width, height) });
  }
  return found;
}
