import { z } from 'zod';

import { ServiceError } from '../errors.ts';

const MINUTES = 60_000;
const MIB = 1024 * 1024;

const limit = (standard: number) => z.number().int().positive().default(standard);

/** Limits of a video. The defaults allow an 8K frame and half a day at 60 frames per second. */
export const videoLimitsSchema = z
  .strictObject({
    /** Width times height of a frame, as coded and as displayed. */
    maxFramePixels: limit(7680 * 4320),
    /** Presentation time from the first frame to the last, in milliseconds. */
    maxDurationMs: limit(12 * 60 * MINUTES),
    /** Decoded frames, sampled or not. */
    maxDecodedFrames: limit(12 * 60 * 60 * 60),
    /** Decoded pixels in total; half a day of 4K at 30 frames per second has 10.7 million million. */
    maxDecodedPixels: limit(12_000_000_000_000),
    /** Decoded pixels per byte of the file, after those that every file may have (`pixel-budget.ts`). */
    maxPixelsPerByte: limit(100_000),
    /** Tracks of any kind. */
    maxTracks: limit(64),
    /** Boxes at every level of the file; 12 hours in fragments of a fifth of a second have 2.6 million. */
    maxBoxes: limit(4_000_000),
    /** Bytes of one `moov` or `moof` box, which FFmpeg reads as a whole. */
    maxIndexBytes: limit(64 * MIB),
    /** Samples (frames, audio packets) declared by all tracks; FFmpeg keeps about 100 bytes for each. */
    maxIndexSamples: limit(5_000_000),
    /** Entries of metadata (names, cover art, keys), each of which FFmpeg compares with all previous ones. */
    maxMetadataEntries: limit(10_000),
    /** `pssh` boxes, for the same reason. */
    maxProtectionHeaders: limit(1_000),
  })
  .readonly();

export type VideoLimits = z.infer<typeof videoLimitsSchema>;

export const DEFAULT_VIDEO_LIMITS: VideoLimits = videoLimitsSchema.parse({});

/** What each limit counts, for its error message. */
const MEASURES = {
  maxFramePixels: 'pixels per frame',
  maxDurationMs: 'milliseconds of video',
  maxDecodedFrames: 'frames',
  maxDecodedPixels: 'pixels in all frames',
  maxPixelsPerByte: 'pixels for each of its bytes',
  maxTracks: 'tracks',
  maxBoxes: 'boxes',
  maxIndexBytes: 'bytes of index',
  maxIndexSamples: 'samples in the index',
  maxMetadataEntries: 'entries of metadata',
  maxProtectionHeaders: 'protection headers (pssh)',
} as const satisfies Record<keyof VideoLimits, string>;

/** Throws `too_large` with the limit and both values if `value` exceeds it. */
export function checkLimit(limits: VideoLimits, name: keyof VideoLimits, value: number): void {
  if (value <= limits[name]) return;
  throw new ServiceError('too_large', `The video has ${value} ${MEASURES[name]}; the limit ${name} is ${limits[name]}`);
}
