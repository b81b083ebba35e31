import { connectedAreas, type ConnectedArea } from './connected-areas.ts';

/** Pixels of one line of text; brighter ones have larger values. */
export interface LinePlane {
  readonly data: Float32Array;
  readonly height: number;
  /** Pixels between rows. */
  readonly stride: number;
  /** Pixels of the line itself. */
  readonly width: number;
}

const LEVELS = 64;

/** Returns the connected areas of ink: of the pixels that are rarer along the line's edges. */
export function letterInk({ data, height, stride, width }: LinePlane): ConnectedArea[] {
  const values = new Float32Array(width * height);
  for (let y = 0; y < height; y++) values.set(data.subarray(y * stride, y * stride + width), y * width);
  const threshold = thresholdOf(values);
  let lightEdge = 0;
  for (const y of [0, 1, height - 2, height - 1]) {
    for (let at = y * width; at < (y + 1) * width; at++) if ((values[at] ?? 0) > threshold) lightEdge++;
  }
  const isLight = lightEdge < 2 * width;
  const marks = new Uint8Array(width * height);
  for (let at = 0; at < marks.length; at++) marks[at] = (values[at] ?? 0) > threshold === isLight ? 1 : 0;
  return connectedAreas(width, height, marks);
}

/**
 * Otsu, "A threshold selection method from gray-level histograms", 1979: maximises the difference between both classes.
 */
function thresholdOf(values: Float32Array): number {
  let least = Infinity;
  let greatest = -Infinity;
  for (const value of values) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  const step = (greatest - least) / LEVELS;
  const counts = new Float64Array(LEVELS);
  for (const value of values) {
    const level = Math.min(LEVELS - 1, Math.floor((value - least) / step));
    counts[level] = (counts[level] ?? 0) + 1;
  }
  const sum = counts.reduce((total, count, level) => total + count * level, 0);
  let [below, sumBelow, best, split] = [0, 0, -1, 0];
  for (let level = 0; level < LEVELS - 1; level++) {
    below += counts[level] ?? 0;
    sumBelow += level * (counts[level] ?? 0);
    const above = values.length - below;
    if (below === 0 || above === 0) continue;
    const difference = sumBelow / below - (sum - sumBelow) / above;
    const variance = below * above * difference * difference;
    if (variance <= best) continue;
    best = variance;
    split = level;
  }
  return least + (split + 1) * step;
}
