import { queryOf } from './query.ts';
import type { SegmentKind } from './responses.ts';

/** Options of segments; absent ones have the service's defaults. */
export interface SegmentFilter {
  /** `[x, y, width, height]` as fractions of the displayed frame, 0 to 1. */
  readonly region?: readonly [number, number, number, number] | undefined;
  readonly minConfidence?: number | undefined;
  readonly minDurationMs?: number | undefined;
  readonly maxGapMs?: number | undefined;
}

export type SegmentFormat = 'json' | 'vtt' | 'srt' | 'txt' | 'csv';

/** Returns the path of a request for segments. */
export function segmentsPath(
  jobId: string,
  format: SegmentFormat,
  kind: SegmentKind | undefined,
  { region, minConfidence, minDurationMs, maxGapMs }: SegmentFilter,
): string {
  const query = queryOf({
    format,
    kind,
    region,
    min_confidence: minConfidence,
    min_duration_ms: minDurationMs,
    max_gap_ms: maxGapMs,
  });
  return `/video/segments/${encodeURIComponent(jobId)}?${query}`;
}
