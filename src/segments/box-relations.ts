import type { Box } from '../job.ts';

/** Relations between boxes, `[x, y, width, height]`. */

function areaOf([, , width, height]: Box): number {
  return Math.max(0, width) * Math.max(0, height);
}

function sharedArea(a: Box, b: Box): number {
  return span(a[0], a[2], b[0], b[2]) * span(a[1], a[3], b[1], b[3]);
}

/** Returns the intersection over union, 0 to 1. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const shared = sharedArea(a, b);
  return shared === 0 ? 0 : shared / (areaOf(a) + areaOf(b) - shared);
}

/** Returns the covered share of the smaller box, 0 to 1. */
export function coverage(a: Box, b: Box): number {
  const smaller = Math.min(areaOf(a), areaOf(b));
  return smaller === 0 ? 0 : sharedArea(a, b) / smaller;
}

/** Returns true if two boxes share most of the height of the lower one. */
export function isInOneRow(a: Box, b: Box): boolean {
  return span(a[1], a[3], b[1], b[3]) > 0.6 * Math.min(a[3], b[3]);
}

export function centreOf([x, y, width, height]: Box): readonly [x: number, y: number] {
  return [x + width / 2, y + height / 2];
}

/** Returns the smallest box around two. */
export function around(a: Box, b: Box): Box {
  const x = Math.min(a[0], b[0]);
  const y = Math.min(a[1], b[1]);
  return [x, y, Math.max(a[0] + a[2], b[0] + b[2]) - x, Math.max(a[1] + a[3], b[1] + b[3]) - y];
}

function span(a: number, aLength: number, b: number, bLength: number): number {
  return Math.max(0, Math.min(a + aLength, b + bLength) - Math.max(a, b));
}
