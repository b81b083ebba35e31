import type { Segment } from '../segments/segment.ts';
import { isOfKind, parseDocumentLine, type SegmentKind } from '../segments/segments-document.ts';
import { storedLines } from './results-document.ts';

/** Yields the segments of one kind in a stored document, in order. Holds one line. */
export async function* storedSegments(path: string, kind: SegmentKind): AsyncGenerator<Segment> {
  for await (const line of storedLines(path)) {
    const segment = parseDocumentLine(line);
    if (typeof segment === 'object' && isOfKind(segment, kind)) yield segment;
  }
}
