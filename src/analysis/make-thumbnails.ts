import { ServiceError } from '../errors.ts';
import type { VideoPictureService } from '../pipeline/picture-service.ts';
import type { Scene } from '../segments/segment.ts';
import { MAX_THUMBNAILS, type Thumbnail } from './thumbnails-document.ts';

/** Pixels of the longer side. */
const LONGEST_SIDE = 320;
const MAX_BYTES = 4 * 1024 * 1024;
/** Milliseconds after which a video counts as too large for pictures; its decoding has cost the analysis as much. */
const TIMEOUT_MS = 300_000;

/** An analysed frame. */
export interface SeenFrame {
  readonly frameIndex: number;
  readonly timestampMs: number;
}

/**
 * Returns the frames with thumbnails, in order: the first analysed one, and the first of each scene; with too many
 * scenes, those of the longest.
 * @param first undefined if no frame was analysed
 */
export function thumbnailFrames(first: SeenFrame | undefined, scenes: readonly Scene[]): readonly SeenFrame[] {
  if (first === undefined) return [];
  const frames = new Map([[first.frameIndex, first]]);
  const longest = scenes.toSorted((a, b) => b.end_ms - b.start_ms - (a.end_ms - a.start_ms) || a.start_ms - b.start_ms);
  for (const { frame_index: frameIndex, start_ms: timestampMs } of longest) {
    if (frames.size >= MAX_THUMBNAILS) break;
    frames.set(frameIndex, { frameIndex, timestampMs });
  }
  return [...frames.values()].toSorted((a, b) => a.frameIndex - b.frameIndex);
}

export interface MakeOptions {
  readonly pictures: VideoPictureService;
  /** Local path. */
  readonly video: string;
  readonly frames: readonly SeenFrame[];
  /** As in the analysis of the frames. */
  readonly keyframesOnly: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Creates the thumbnails of these frames in order, as many as fit. Rejects like the picture service. */
export async function makeThumbnails(options: MakeOptions): Promise<readonly Thumbnail[]> {
  const { pictures, video, frames, keyframesOnly, signal } = options;
  if (frames.length === 0) return [];
  const indices = new Map(frames.map(({ frameIndex, timestampMs }) => [timestampMs, frameIndex]));
  const timesMs = [...indices.keys()];
  const wish = { kind: 'thumbnails', timesMs, keyframesOnly, longestSide: LONGEST_SIDE, maxBytes: MAX_BYTES } as const;
  const thumbnails: Thumbnail[] = [];
  let bytes = 0;
  const limited = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal === undefined ? [] : [signal])]);
  for await (const { timestampMs, bytes: jpeg } of pictures.pictures(video, wish, limited)) {
    const frameIndex = indices.get(timestampMs);
    bytes += jpeg.length;
    // The decoder of untrusted videos is not trusted to respect it.
    if (frameIndex === undefined || bytes > MAX_BYTES || !isJpeg(jpeg)) {
      throw new ServiceError('internal', 'The process that makes pictures sent an unexpected response');
    }
    indices.delete(timestampMs);
    thumbnails.push({ frameIndex, jpeg });
  }
  return thumbnails;
}

function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8;
}
