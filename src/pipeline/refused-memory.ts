import { FFmpegError, PosixError } from 'node-av/lib';

import { ServiceError } from '../errors.ts';

/**
 * Throws `memory_limit` if FFmpeg failed for lack of memory. Treated as damage, it would be skipped, and the frames
 * would depend on the limit of the process.
 */
export function throwIfMemoryRefused(code: number): void {
  if (code !== FFmpegError.AVERROR(PosixError.ENOMEM)) return;
  throw new ServiceError('memory_limit', 'Decoding this video needs more memory than is allowed', {
    cause: new FFmpegError(code),
  });
}
