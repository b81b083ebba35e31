import { ServiceError, type ErrorCode } from '../../errors.ts';

/** What a video is refused with by its decoder; of a video that was analysed it is only met at a damaged place. */
const VERDICTS: ReadonlySet<ErrorCode> = new Set(['invalid_video', 'too_large', 'memory_limit', 'decoder_crashed']);

/** The refusal that a client gets for a picture that could not be made. */
export function refusalOfPicture(cause: unknown): unknown {
  if (cause instanceof DOMException && cause.name === 'TimeoutError') {
    return new ServiceError('pictures_busy', 'The picture took longer than it may', { cause, retryable: true });
  }
  if (!(cause instanceof ServiceError)) return cause;
  if (cause.code === 'input_missing') {
    return new ServiceError('video_missing', 'The video of this job has just been deleted', { cause });
  }
  if (cause.code === 'stalled' || cause.code === 'child_unavailable' || cause.code === 'interrupted') {
    return new ServiceError('pictures_busy', 'The picture could not be made now', { cause, retryable: true });
  }
  if (!VERDICTS.has(cause.code)) return cause;
  return new ServiceError('picture_not_found', 'The video shows nothing there that can be decoded', { cause });
}
