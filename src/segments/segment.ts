/**
 * What is found in a video over time.
 *
 * - **sample**: one analysed frame. **step**: the usual time between two samples.
 * - **text segment**: one text in one place over one interval.
 * - **object segment**: the presence of a label over one interval; with a `track_id`: of one instance of it.
 * - **scene**: an interval in which the set of text segments is stable: a subtitle or a slide.
 *
 * A segment holds for `start_ms <= t < end_ms`.
 */
import { z } from 'zod';
import { boxSchema, textLineSchema } from '../job.ts';

const interval = {
  start_ms: z.number().describe('Time of the first sample that shows it'),
  end_ms: z.number().describe('Time of the first sample that no longer shows it; the last sample counts for one step'),
};
const confidence = z.number().min(0).max(1);
const frames = z.int().min(1).describe('Number of samples that show it');

export const textSegmentSchema = z.object({
  kind: z.literal('text'),
  ...interval,
  text: z.string().describe('The spelling with the highest total confidence'),
  confidence: confidence.describe('Mean confidence of the samples with this spelling'),
  bbox: boxSchema,
  frames,
});
export type TextSegment = Readonly<z.infer<typeof textSegmentSchema>>;

export const objectSegmentSchema = z.object({
  kind: z.literal('object'),
  label: z.string(),
  ...interval,
  max_count: z.int().min(1).describe('Most instances seen in one sample'),
  confidence: confidence.describe('The highest of all samples'),
  bbox: boxSchema.describe('Where the confidence was highest'),
  frames,
  track_id: z
    .int()
    .min(1)
    .optional()
    .describe('Only there when the segment is one followed instance: four samples a second or more are needed'),
});
export type ObjectSegment = Readonly<z.infer<typeof objectSegmentSchema>>;

export const sceneSchema = z.object({
  kind: z.literal('scene'),
  ...interval,
  text: z.string().describe('The texts of the lines, one per line, from top to bottom'),
  lines: z.array(textLineSchema),
  frame_index: z.int().min(0).describe('The first sample of the scene'),
});
export type Scene = Readonly<z.infer<typeof sceneSchema>>;

export const segmentSchema = z.discriminatedUnion('kind', [textSegmentSchema, objectSegmentSchema, sceneSchema]);
export type Segment = TextSegment | ObjectSegment | Scene;

/** Segments in order, complete or as they arrive. */
export type Listed<T extends Segment> = Iterable<T> | AsyncIterable<T>;

/** Order of segments: by start, then from top to bottom, then from left to right, then by end. */
export function compareSegments(a: Segment, b: Segment): number {
  const [ax, ay] = cornerOf(a);
  const [bx, by] = cornerOf(b);
  return a.start_ms - b.start_ms || ay - by || ax - bx || a.end_ms - b.end_ms;
}

function cornerOf(segment: Segment): readonly [number, number] {
  const box = segment.kind === 'scene' ? segment.lines[0]?.bbox : segment.bbox;
  return box === undefined ? [0, 0] : [box[0], box[1]];
}
