import { segmentSchema, type Segment } from './segment.ts';
import type { Findings } from './segment-finder.ts';

/** The stored segments of a job: one JSON document with one segment a line, so that it can be read line by line. */

/** Raised when the same frames give other segments or the document is written differently. */
export const SEGMENTS_VERSION = 1;

const FIRST_LINE = `{"version": ${SEGMENTS_VERSION}, "segments": [`;
const LAST_LINE = ']}';

export const SEGMENT_KINDS = ['text', 'objects', 'scenes'] as const;
/** What is asked for; a segment's own `kind` is in the singular. */
export type SegmentKind = (typeof SEGMENT_KINDS)[number];

export function segmentsOf(findings: Findings, kind: SegmentKind): readonly Segment[] {
  return { text: findings.texts, objects: findings.objects, scenes: findings.scenes }[kind];
}

export function* segmentsDocument(findings: Findings): Generator<string> {
  yield `${FIRST_LINE}\n`;
  let separator = '';
  for (const kind of SEGMENT_KINDS) {
    for (const segment of segmentsOf(findings, kind)) {
      yield `${separator}${JSON.stringify(segment)}`;
      separator = ',\n';
    }
  }
  yield `${separator === '' ? '' : '\n'}${LAST_LINE}\n`;
}

/** What a line of the document says. */
export type DocumentLine = Segment | 'begin' | 'end' | 'damaged';

/** Reads one line, without its line break. A document of another version is `damaged` in its first line. */
export function parseDocumentLine(line: string): DocumentLine {
  if (line === FIRST_LINE) return 'begin';
  if (line === LAST_LINE) return 'end';
  try {
    const parsed = segmentSchema.safeParse(JSON.parse(line.endsWith(',') ? line.slice(0, -1) : line));
    return parsed.success ? parsed.data : 'damaged';
  } catch {
    return 'damaged';
  }
}

/** The one `kind` that the segments of a request have. */
export function isOfKind(segment: Segment, kind: SegmentKind): boolean {
  return segment.kind === ({ text: 'text', objects: 'object', scenes: 'scene' } as const)[kind];
}
