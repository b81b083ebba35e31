import { open } from 'node:fs/promises';
import type { Segment } from '../segments/segment.ts';
import {
  isDocumentEnd,
  isDocumentHead,
  isOfKind,
  parseDocumentLine,
  type SegmentKind,
} from '../segments/segments-document.ts';
import { storedLines } from './results-document.ts';

/** Yields the segments of one kind in a stored document, in order. Holds one line. */
export async function* storedSegments(path: string, kind: SegmentKind): AsyncGenerator<Segment> {
  for await (const line of storedLines(path)) {
    const segment = parseDocumentLine(line);
    if (typeof segment === 'object' && isOfKind(segment, kind)) yield segment;
  }
}

/** More than the last line. */
const END_BYTES = 16;

/** Returns true for a document of this version that was not cut off. Reads its start and its end. */
export async function areSegmentsWhole(path: string): Promise<boolean> {
  for await (const line of storedLines(path)) {
    if (!isDocumentHead(line)) return false;
    break;
  }
  await using file = await open(path);
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(END_BYTES), 0, END_BYTES, Math.max(0, size - END_BYTES));
  return isDocumentEnd(buffer.toString('utf8', 0, bytesRead).split('\n').at(-2));
}
