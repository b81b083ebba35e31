import { z } from 'zod';
import { mediaFactsSchema, type MediaFacts } from '../job.ts';
import { segmentSchema, type Segment } from './segment.ts';
import type { Findings } from './segment-finder.ts';

/** The stored segments of a job: one JSON document with one segment per line, so that it can be read by line. */

/** Raised when the same frames give other segments, or the format changes. */
const SEGMENTS_VERSION = 2;

const LAST_LINE = ']}';
/** The first line of the document, closed. */
const headSchema = z.object({
  version: z.literal(SEGMENTS_VERSION),
  /** Null if unknown. */
  media: mediaFactsSchema.nullable(),
  segments: z.tuple([]),
});

export const SEGMENT_KINDS = ['text', 'objects', 'scenes'] as const;
/** Values of the request; a segment's own `kind` is singular. */
export type SegmentKind = (typeof SEGMENT_KINDS)[number];

export function segmentsOf(findings: Findings, kind: SegmentKind): readonly Segment[] {
  return { text: findings.texts, objects: findings.objects, scenes: findings.scenes }[kind];
}

/** @param media facts about the video, if known */
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

/** Returns true for the first line of a document of this version. */
export function isDocumentHead(line: string): boolean {
  return headSchema.safeParse(jsonOf(`${line}${LAST_LINE}`)).success;
}

/** Returns true for the last line of a whole document. */
export function isDocumentEnd(line: string | undefined): boolean {
  return line === LAST_LINE;
}

/** Returns the segment in a line of the document, without its line break; undefined if there is none. */
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

/** Returns the `kind` of the segments of a request. */
export function isOfKind(segment: Segment, kind: SegmentKind): boolean {
  return segment.kind === ({ text: 'text', objects: 'object', scenes: 'scene' } as const)[kind];
}
