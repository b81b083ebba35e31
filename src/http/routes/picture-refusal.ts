import { ServiceError, type ErrorCode } from '../../errors.ts';

/** Codes of the decoder about a video; after a successful analysis they only occur at damaged places. */
const VERDICTS: ReadonlySet<ErrorCode> = new Set(['invalid_video', 'too_large', 'memory_limit', 'decoder_crashed']);

/** Returns the error for a client whose picture could not be created. */
export function refusalOfPicture(cause: unknown): unknown {
  if (cause instanceof DOMException && cause.name === 'TimeoutError') {
    return new ServiceError('pictures_busy', 'The picture took too long', { cause, retryable: true });
  }
  if (!(cause instanceof ServiceError)) return cause;
  if (cause.code === 'input_missing') {
    return new ServiceError('video_missing', 'The video of this job has just been deleted', { cause });
  }
  if (cause.code === 'stalled' || cause.code === 'child_unavailable' || cause.code === 'interrupted') {
    return new ServiceError('pictures_busy', 'The picture cannot be created now', { cause, retryable: true });
  }
  if (!VERDICTS.has(cause.code)) return cause;
  return new ServiceError('picture_not_found', 'The video shows nothing there that can be decoded', { cause });
}
