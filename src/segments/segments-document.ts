import { z } from 'zod';
import { mediaFactsSchema, type MediaFacts } from '../job.ts';
import { segmentSchema, type Segment } from './segment.ts';
import type { Findings } from './segment-finder.ts';

/** The stored segments of a job: one JSON document with one segment a line, so that it can be read line by line. */

/** Raised when the same frames give other segments or the document is written differently. */
const SEGMENTS_VERSION = 1;

const LAST_LINE = ']}';
/** The document's first line, closed. */
const headSchema = z.object({
  version: z.literal(SEGMENTS_VERSION),
  /** Null where the results alone were left. */
  media: mediaFactsSchema.nullable(),
  segments: z.tuple([]),
});

export const SEGMENT_KINDS = ['text', 'objects', 'scenes'] as const;
/** What is asked for; a segment's own `kind` is in the singular. */
export type SegmentKind = (typeof SEGMENT_KINDS)[number];

export function segmentsOf(findings: Findings, kind: SegmentKind): readonly Segment[] {
  return { text: findings.texts, objects: findings.objects, scenes: findings.scenes }[kind];
}

/** @param media of the video, where they are known */
export function* segmentsDocument(findings: Findings, media: MediaFacts | undefined): Generator<string> {
  const head = JSON.stringify({ version: SEGMENTS_VERSION, media: media ?? null });
  yield `${head.slice(0, -1)},"segments":[\n`;
  let separator = '';
  for (const kind of SEGMENT_KINDS) {
    for (const segment of segmentsOf(findings, kind)) {
      yield `${separator}${JSON.stringify(segment)}`;
      separator = ',\n';
    }
  }
  yield `${separator === '' ? '' : '\n'}${LAST_LINE}\n`;
}

/** True for the first line of a document of this version. */
export function isDocumentHead(line: string): boolean {
  return headSchema.safeParse(jsonOf(`${line}${LAST_LINE}`)).success;
}

/** The segment that a line of the document says, without its line break; undefined when it says none. */
export function parseDocumentLine(line: string): Segment | undefined {
  return segmentSchema.safeParse(jsonOf(line.endsWith(',') ? line.slice(0, -1) : line)).data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The one `kind` that the segments of a request have. */
export function isOfKind(segment: Segment, kind: SegmentKind): boolean {
  return segment.kind === ({ text: 'text', objects: 'object', scenes: 'scene' } as const)[kind];
}
