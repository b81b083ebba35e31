import type { Detection, FrameResult, TextLine } from '../job.ts';
import { coverage } from './box-relations.ts';

/** Position of a sample in the video. */
export interface Moment {
  readonly timeMs: number;
  readonly frameIndex: number;
}

/** One analysed frame after validation. */
export interface Sample extends Moment {
  /** Empty if the pipeline does not read. No two are in one place. */
  readonly lines: readonly TextLine[];
  readonly detections: readonly Detection[];
}

/** Which findings of a frame count. */
export interface SampleFilter {
  readonly minConfidence: number;
  /** Only findings with their centre in here, in pixels: `[x, y, width, height]`. */
  readonly region?: readonly [number, number, number, number] | undefined;
}

/** Two lines are readings of the same place if one covers this share of the other. */
const SAME_PLACE = 0.7;

export function sampleOf({ frame_index: frameIndex, result }: FrameResult, filter: SampleFilter): Sample {
  const lines = (result.lines ?? []).filter((line) => line.text.trim() !== '' && counts(line, filter));
  const detections = (result.detections ?? []).filter((detection) => counts(detection, filter));
  return { frameIndex, timeMs: result.timestamp_ms, lines: oneInEachPlace(lines), detections };
}

function counts({ confidence, bbox: [x, y, width, height] }: TextLine | Detection, filter: SampleFilter): boolean {
  // The sum of numbers of which one is not finite is not finite either.
  const isBox = width > 0 && height > 0 && Number.isFinite(x + y + width + height + confidence);
  if (!isBox || confidence < filter.minConfidence) return false;
  if (filter.region === undefined) return true;
  const [left, top, regionWidth, regionHeight] = filter.region;
  const [centreX, centreY] = [x + width / 2, y + height / 2];
  return centreX >= left && centreX < left + regionWidth && centreY >= top && centreY < top + regionHeight;
}

/** Boxes of detections overlap, and a text inside two of them is read twice: the better reading counts. */
function oneInEachPlace(lines: readonly TextLine[]): readonly TextLine[] {
  const overlaps = lines.some((line, at) =>
    lines.slice(at + 1).some((other) => coverage(line.bbox, other.bbox) >= SAME_PLACE),
  );
  if (!overlaps) return lines;
  const kept: TextLine[] = [];
  for (const line of lines.toSorted((a, b) => worthOf(b) - worthOf(a))) {
    if (kept.every((other) => coverage(line.bbox, other.bbox) < SAME_PLACE)) kept.push(line);
  }
  return kept.toSorted((a, b) => lines.indexOf(a) - lines.indexOf(b));
}

function worthOf({ text, confidence }: TextLine): number {
  return confidence * Math.log2(1 + text.length);
}
