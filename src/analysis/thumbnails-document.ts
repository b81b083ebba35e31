import { open, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';

/** The stored thumbnails of a job: a line of JSON that lists them, then the bytes of their JPEG files. */

/** Raised when the same video gives other pictures or the format changes. */
export const THUMBNAILS_VERSION = 1;
export const MAX_THUMBNAILS = 200;
/** More than the longest first line. */
const HEAD_BYTES = 16 * 1024;

export interface Thumbnail {
  readonly frameIndex: number;
  readonly jpeg: Uint8Array;
}

const headSchema = z.object({
  version: z.literal(THUMBNAILS_VERSION),
  thumbnails: z.array(z.object({ frame_index: z.int().min(0), bytes: z.int().min(1) })),
});

export async function* thumbnailsDocument(thumbnails: readonly Thumbnail[]): AsyncGenerator<Uint8Array | string> {
  const listed = thumbnails.map(({ frameIndex, jpeg }) => ({ frame_index: frameIndex, bytes: jpeg.length }));
  yield `${JSON.stringify({ version: THUMBNAILS_VERSION, thumbnails: listed })}\n`;
  for (const { jpeg } of thumbnails) yield jpeg;
}

/**
 * Reads one picture of a stored document: that of a frame, or the first.
 * @returns undefined for a document of another version or a damaged one, null for one without this picture
 */
export async function readThumbnail(path: string, frame: number | 'first'): Promise<Uint8Array | null | undefined> {
  await using file = await open(path);
  const head = await readHead(file);
  if (head === undefined) return undefined;
  let { position } = head;
  for (const { frame_index: frameIndex, bytes } of head.thumbnails) {
    if (frame === 'first' || frame === frameIndex) {
      const jpeg = await read(file, position, bytes);
      return jpeg.length === bytes ? jpeg : undefined;
    }
    position += bytes;
  }
  return null;
}

/** Returns true for a document of this version that has all of its pictures. */
export async function areThumbnailsWhole(path: string): Promise<boolean> {
  await using file = await open(path);
  const head = await readHead(file);
  if (head === undefined) return false;
  const { size } = await file.stat();
  return size === head.thumbnails.reduce((sum, { bytes }) => sum + bytes, head.position);
}

/** Returns the list of pictures, and the position of the first; undefined if it cannot be read. */
async function readHead(file: FileHandle) {
  const start = await read(file, 0, HEAD_BYTES);
  const end = start.indexOf('\n');
  if (end === -1) return undefined;
  const head = headSchema.safeParse(jsonOf(start.toString('utf8', 0, end)));
  return head.success ? { thumbnails: head.data.thumbnails, position: end + 1 } : undefined;
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
