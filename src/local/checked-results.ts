import { stat } from 'node:fs/promises';
import { storedLines } from '../analysis/results-document.ts';
import { ServiceError } from '../errors.ts';
import { frameResultSchema, type Box, type FrameResult, type MediaFacts } from '../job.ts';
import { filesOf, hashFile, type AnalysisRecord } from './analysis-record.ts';

/** Maximum length of a line in characters; a frame usually has some thousand. */
const MAX_LINE = 16 * 1024 * 1024;
/** Boxes are rounded, so they may exceed the frame by part of a pixel. */
const TOLERANCE_PX = 1;
const HEAD = '{"results": [';
const EMPTY = '{"results": []}';
const END = ']}';

const strictFrameSchema = frameResultSchema.strict();

/**
 * Yields the frames of foreign results and returns the facts about their video. Verifies everything: hash and size in
 * the record, form of the document, schema and order of the frames, and that boxes lie in the frame. Accepted results
 * have exactly the bytes that the service would store. Rejects with `invalid_record` or `too_large`.
 */
export async function* checkedFrames(
  recordPath: string,
  record: AnalysisRecord,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): AsyncGenerator<FrameResult, MediaFacts | undefined> {
  const { results: path } = filesOf(recordPath, record);
  const invalid = (reason: string): ServiceError => new ServiceError('invalid_record', `${path}: ${reason}`);
  const found = await stat(path);
  // A pipe or a device may have no end.
  if (!found.isFile()) throw invalid('it is not a regular file');
  const { size } = found;
  if (size > maxBytes) throw new ServiceError('too_large', `${path} has ${size} bytes, and ${maxBytes} are allowed`);
  const { sha256, bytes } = await hashFile(path, signal);
  if (bytes !== record.results.bytes || sha256 !== record.results.sha256) {
    throw invalid('its size or SHA-256 differs from the record');
  }
  const { media } = record;
  let expected: 'head' | 'frame' | 'end' | 'nothing' = 'head';
  let frames = 0;
  let last: FrameResult | undefined;
  for await (const line of storedLines(path, MAX_LINE)) {
    signal.throwIfAborted();
    if (expected === 'head' && (line === HEAD || line === EMPTY)) expected = line === HEAD ? 'frame' : 'nothing';
    else if (expected === 'end' && line === END) expected = 'nothing';
    else if (expected === 'frame') {
      const isLast = !line.endsWith(',');
      const frame = frameOf(isLast ? line : line.slice(0, -1));
      const fault = frame === undefined ? 'it is not a frame as the service writes it' : faultIn(frame, last, media);
      if (frame === undefined || fault !== undefined) throw invalid(`line ${frames + 2}: ${fault}`);
      frames += 1;
      last = frame;
      yield frame;
      if (isLast) expected = 'end';
    } else throw invalid(`line ${frames + 2} is not expected there`);
  }
  if (expected !== 'nothing') throw invalid('it ends too early');
  if (media !== null && media.frames_analysed !== null && media.frames_analysed !== frames) {
    throw invalid(`it has ${frames} frames, and the record ${media.frames_analysed}`);
  }
  return media ?? undefined;
}

/** Returns undefined unless the line is exactly the text that the service writes for its frame. */
function frameOf(line: string): FrameResult | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return JSON.stringify(parsed) === line ? strictFrameSchema.safeParse(parsed).data : undefined;
  } catch {
    return undefined;
  }
}

function faultIn(frame: FrameResult, before: FrameResult | undefined, media: MediaFacts | null): string | undefined {
  const { frame_index: index, result } = frame;
  if (before !== undefined && index <= before.frame_index) return 'its frame_index is not above the one before';
  if (before !== undefined && result.timestamp_ms < before.result.timestamp_ms)
    return 'its time is before the last one';
  const { width, height } = media ?? {};
  const boxes = [...(result.lines ?? []), ...(result.detections ?? [])].map(({ bbox }) => bbox);
  return boxes.every((box) => liesIn(box, width ?? Infinity, height ?? Infinity))
    ? undefined
    : 'a box leaves the frame';
}

function liesIn([x, y, width, height]: Box, frameWidth: number, frameHeight: number): boolean {
  if (Math.min(width, height) < 0 || Math.min(x, y) < -TOLERANCE_PX) return false;
  return x + width <= frameWidth + TOLERANCE_PX && y + height <= frameHeight + TOLERANCE_PX;
}
