import { createHash } from 'node:crypto';

import { AV_FRAME_DATA_DISPLAYMATRIX, AV_FRAME_FLAG_INTERLACED } from 'node-av/constants';
import { avImageCopyToBuffer, avImageGetBufferSize } from 'node-av/lib';
import type { AVPixelFormat, AVSampleFormat } from 'node-av/constants';
import type { Frame } from 'node-av/lib';

/**
 * Compares decoded frames without converting them, which would cost several times as much. Frames with the same SHA-256
 * have the same samples and look the same. A copy of the previous frame would be compared faster, but takes 50 to 100
 * MB at 8K.
 */
export class SampleFingerprint {
  /** Samples without the bytes between lines; only used if there are such bytes. */
  #packed = Buffer.alloc(0);

  of(frame: Frame): string {
    const { width, height, format, colorSpace, colorRange, colorTrc, colorPrimaries, sampleAspectRatio } = frame;
    const look = [width, height, format, colorSpace, colorRange, colorTrc, colorPrimaries, frame.chromaLocation];
    look.push(sampleAspectRatio.num, sampleAspectRatio.den, frame.hasFlags(AV_FRAME_FLAG_INTERLACED) ? 1 : 0);
    const hash = createHash('sha256').update(look.join());
    const orientation = frame.getSideData(AV_FRAME_DATA_DISPLAYMATRIX);
    if (orientation !== null) hash.update(orientation);
    for (const plane of this.#planes(frame)) hash.update(plane);
    return hash.digest('base64');
  }

  #planes(frame: Frame): readonly Buffer[] {
    const { width, height, data, linesize } = frame;
    const { format } = frame;
    const planes = data ?? [];
    if (!isPixelFormat(format, frame)) return planes;
    const bytes = avImageGetBufferSize(format, width, height, 1);
    if (bytes <= 0 || planes.reduce((sum, plane) => sum + plane.length, 0) === bytes) return planes;
    if (this.#packed.length !== bytes) this.#packed = Buffer.alloc(bytes);
    avImageCopyToBuffer(this.#packed, bytes, planes, linesize, format, width, height, 1);
    return [this.#packed];
  }
}

/** A frame with a width is a video frame. */
function isPixelFormat(_format: AVPixelFormat | AVSampleFormat, frame: Frame): _format is AVPixelFormat {
  return frame.width > 0;
}
