import { open } from 'node:fs/promises';
import { setImmediate as otherWork } from 'node:timers/promises';
import { ServiceError } from '../errors.ts';
import { frameResultSchema, type FrameResult } from '../job.ts';

/** The stored results of a job: `{"results": [...]}` with one frame per line, so that it can be read by line. */

/** Bytes read at once; processing them takes some milliseconds. */
const CHUNK_BYTES = 16 * 1024;
const FRAME_LINE = '{"frame_index":';

/** Yields the document as frames arrive. @throws ServiceError `too_large` */
export async function* resultsDocument(frames: AsyncIterable<FrameResult>, maxBytes: number): AsyncGenerator<string> {
  let separator = '{"results": [\n';
  let bytes = 0;
  for await (const frame of frames) {
    const text = separator + JSON.stringify(frame);
    bytes += Buffer.byteLength(text);
    if (bytes > maxBytes) {
      throw new ServiceError('too_large', `The results have more bytes than MAX_RESULTS_BYTES allows (${maxBytes})`);
    }
    yield text;
    separator = ',\n';
  }
  yield separator === ',\n' ? '\n]}\n' : '{"results": []}\n';
}

/** Yields the frames of a stored document without damaged lines. Yields to other work in between. */
export async function* storedFrames(path: string): AsyncGenerator<FrameResult> {
  for await (const line of storedLines(path)) {
    if (!line.startsWith(FRAME_LINE)) continue;
    const frame = frameOf(line.endsWith(',') ? line.slice(0, -1) : line);
    if (frame !== undefined) yield frame;
  }
}

/** Yields the lines of a text file. Memory is constant except for the longest line. @throws ServiceError `too_large` */
export async function* storedLines(path: string, maxLine = Number.POSITIVE_INFINITY): AsyncGenerator<string> {
  await using file = await open(path);
  let rest = '';
  for await (const chunk of file.createReadStream({ encoding: 'utf8', highWaterMark: CHUNK_BYTES, autoClose: false })) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLine) throw new ServiceError('too_large', `A line has more than ${maxLine} characters`);
    yield* lines;
    await otherWork();
  }
  if (rest !== '') yield rest;
}

function frameOf(line: string): FrameResult | undefined {
  try {
    return frameResultSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
