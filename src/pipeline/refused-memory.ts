import { FFmpegError, PosixError } from 'node-av/lib';

import { ServiceError } from '../errors.ts';

/**
 * Throws `memory_limit` when FFmpeg failed for want of memory. Taken for damage it would be passed over, and the frames
 * that come out would depend on the limit of the process.
 */
export function throwIfMemoryRefused(code: number): void {
  if (code !== FFmpegError.AVERROR(PosixError.ENOMEM)) return;
  throw new ServiceError('memory_limit', 'Decoding this video needs more memory than is allowed', {
    cause: new FFmpegError(code),
  });
}
