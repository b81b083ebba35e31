import type { Box, Detection } from '../../src/job.ts';
import type { TrueObject } from './truth.ts';

// Mean average precision as defined by COCO: https://cocodataset.org/#detection-eval
const OVERLAPS = Array.from({ length: 10 }, (_, step) => 0.5 + 0.05 * step);
const RECALLS = Array.from({ length: 101 }, (_, step) => step / 100);

/** The objects of a frame and its detections. */
export interface ObjectFrame {
  readonly objects: readonly TrueObject[];
  readonly detections: readonly Detection[];
}

export interface ObjectScore {
  /** Mean of the labels' average precision at overlaps of 0.5 to 0.95, 0 to 1; NaN without objects. */
  readonly map: number;
  /** The same at an overlap of 0.5. */
  readonly map50: number;
}

/** Scores the detections of many frames, which should have any confidence. */
export function scoreObjects(frames: readonly ObjectFrame[]): ObjectScore {
  const labels = new Set(
    frames.flatMap(({ objects }) => objects.filter(({ crowd }) => !crowd).map(({ label }) => label)),
  );
  const precisions = [...labels].map((label) => OVERLAPS.map((least) => averagePrecision(frames, label, least)));
  return {
    map: mean(precisions.map(mean)),
    map50: mean(precisions.map(([first = 0]) => first)),
  };
}

function averagePrecision(frames: readonly ObjectFrame[], label: string, least: number): number {
  const found: { readonly confidence: number; readonly isRight: boolean }[] = [];
  let wanted = 0;
  for (const { objects, detections } of frames) {
    const own = objects.filter((object) => object.label === label);
    wanted += own.filter(({ crowd }) => !crowd).length;
    const free = new Set(own.filter(({ crowd }) => !crowd));
    const surestFirst = detections.filter((one) => one.label === label).toSorted((a, b) => b.confidence - a.confidence);
    for (const { bbox, confidence } of surestFirst) {
      const [best] = [...free].toSorted((a, b) => shared(bbox, b.bbox).union - shared(bbox, a.bbox).union);
      const isRight = best !== undefined && shared(bbox, best.bbox).union >= least;
      // A detection in a crowd is neither right nor wrong.
      if (!isRight && own.some((object) => object.crowd && shared(bbox, object.bbox).first >= least)) continue;
      if (isRight) free.delete(best);
      found.push({ confidence, isRight });
    }
  }
  return areaUnderCurve(
    found.toSorted((a, b) => b.confidence - a.confidence).map(({ isRight }) => isRight),
    wanted,
  );
}

/** Returns the mean over all recalls of the best precision at that recall or a higher one. */
function areaUnderCurve(ranked: readonly boolean[], wanted: number): number {
  let right = 0;
  const points = ranked.map((isRight, at) => {
    if (isRight) right += 1;
    return { recall: right / wanted, precision: right / (at + 1) };
  });
  let best = 0;
  for (const point of points.toReversed()) {
    best = Math.max(best, point.precision);
    point.precision = best;
  }
  return mean(RECALLS.map((recall) => points.find((point) => point.recall >= recall - 1e-12)?.precision ?? 0));
}

/** Returns the shared area of two boxes as a share of the first and of their union. */
function shared([ax, ay, aw, ah]: Box, [bx, by, bw, bh]: Box) {
  const width = Math.max(0, Math.min(ax + aw, bx + bw) - Math.max(ax, bx));
  const height = Math.max(0, Math.min(ay + ah, by + bh) - Math.max(ay, by));
  const area = width * height;
  return { first: area / (aw * ah), union: area / (aw * ah + bw * bh - area) };
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
