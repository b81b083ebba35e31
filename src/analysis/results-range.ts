import type { FileHandle } from 'node:fs/promises';
import { setImmediate as otherWork } from 'node:timers/promises';

/** Bytes read at once: some frames. */
const CHUNK_BYTES = 16 * 1024;
const NEW_LINE = 10;
const FRAME_LINE = /^\{"frame_index":\d+,"result":\{.*?"timestamp_ms":(-?[\d.]+(?:e[+-]?\d+)?)/;

export interface TimeRange {
  readonly fromMs: number;
  /** Frames from this time on are omitted. */
  readonly toMs: number;
}

/**
 * Yields the JSON text of each frame of a stored results document in a time range. Frames are sorted by time, so the
 * first one is found by bisection and the cost depends on the range, not on the size of the document. Memory is
 * constant except for the longest line.
 */
export async function* framesInRange(
  file: FileHandle,
  size: number,
  { fromMs, toMs }: TimeRange,
): AsyncGenerator<string> {
  let low = 0;
  let high = size;
  // Lines that begin before `low` are earlier than the range; the first line of the range begins at or before `high`.
  while (high - low > CHUNK_BYTES) {
    const middle = Math.floor((low + high) / 2);
    const time = await firstTime(file, middle, high);
    if (time === undefined || time >= fromMs) high = middle;
    else low = middle;
  }
  for await (const line of linesFrom(file, low)) {
    const time = timeOf(line);
    if (time === undefined || time < fromMs) continue;
    if (time >= toMs) return;
    yield line.endsWith(',') ? line.slice(0, -1) : line;
  }
}

/**
 * Returns the time of the first frame whose line begins after this byte and before the end; undefined if there is none.
 */
async function firstTime(file: FileHandle, from: number, end: number): Promise<number | undefined> {
  let at = from;
  for await (const line of linesFrom(file, from)) {
    if (at >= end) return undefined;
    const time = timeOf(line);
    if (time !== undefined) return time;
    at += Buffer.byteLength(line) + 1;
  }
  return undefined;
}

/** Yields the lines that begin after this byte; from byte 0 the first line too. */
async function* linesFrom(file: FileHandle, from: number): AsyncGenerator<string> {
  let position = from;
  let isWhole = from === 0;
  let rest = Buffer.alloc(0);
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    for (let end = rest.indexOf(NEW_LINE); end !== -1; end = rest.indexOf(NEW_LINE)) {
      if (isWhole) yield rest.toString('utf8', 0, end);
      isWhole = true;
      rest = rest.subarray(end + 1);
    }
    await otherWork();
  }
  if (isWhole && rest.length > 0) yield rest.toString();
}

function timeOf(line: string): number | undefined {
  const [, time] = FRAME_LINE.exec(line) ?? [];
  return time === undefined ? undefined : Number(time);
}
