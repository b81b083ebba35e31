import type { ObjectSegment } from '../../client/responses.ts';

/** The appearances of one label. */
export interface ObjectLane {
  readonly label: string;
  /** In order, overlaps merged. */
  readonly intervals: readonly (readonly [startMs: number, endMs: number])[];
  readonly seenMs: number;
  /** Maximum number at once. */
  readonly maxCount: number;
}

/** Returns one lane per label, the longest seen first. */
export function objectLanes(segments: readonly ObjectSegment[]): readonly ObjectLane[] {
  const byLabel = new Map<string, ObjectSegment[]>();
  for (const segment of segments) {
    const own = byLabel.get(segment.label) ?? [];
    own.push(segment);
    byLabel.set(segment.label, own);
  }
  return [...byLabel]
    .map(([label, own]) => {
      const intervals = joined(own);
      return {
        label,
        intervals,
        seenMs: intervals.reduce((sum, [start, end]) => sum + end - start, 0),
        maxCount: Math.max(...own.map(({ max_count: count }) => count)),
      };
    })
    .toSorted((a, b) => b.seenMs - a.seenMs);
}

function joined(segments: readonly ObjectSegment[]): ObjectLane['intervals'] {
  const intervals: [number, number][] = [];
  for (const { start_ms: start, end_ms: end } of segments.toSorted((a, b) => a.start_ms - b.start_ms)) {
    const last = intervals.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else intervals.push([start, end]);
  }
  return intervals;
}
