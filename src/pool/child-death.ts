import { messageOf, ServiceError } from '../errors.ts';

/** How a child process ended, as far as it can be known. */
export interface ChildDeath {
  /** Null when it exited by itself. */
  readonly signal: string | null;
  readonly exitCode: number | null;
  /** The last of what it printed. */
  readonly output: string;
}

/**
 * What V8, the C++ library, FFmpeg (`AVERROR(ENOMEM)`) and onnxruntime say when an allocation is refused, which under a
 * hard limit is how a memory bomb ends.
 */
const OUT_OF_MEMORY =
  /out of memory|bad_alloc|cannot allocate memory|failed to allocate memory|allocation failed|ERR_WORKER_OUT_OF_MEMORY|OOM error/i;

function isOutOfMemory(text: string): boolean {
  return OUT_OF_MEMORY.test(text);
}

/** The verdict on a video that asks for too much memory. It would again. */
export function errorOfHunger(cause?: unknown): ServiceError {
  return new ServiceError('memory_limit', 'the analysis of this video needs more memory than is allowed', { cause });
}

/** The verdict on a death that nobody ordered. `nearLimit`: it was last seen with most of its allowed memory in use. */
export function errorOfDeath(death: ChildDeath, nearLimit: boolean): ServiceError {
  const cause = new Error(death.output.trim() || 'the process printed nothing');
  if (nearLimit || isOutOfMemory(death.output)) return errorOfHunger(cause);
  const how = death.signal === null ? `exit code ${death.exitCode ?? 'unknown'}` : death.signal;
  return new ServiceError('decoder_crashed', `the process that analysed the video died (${how})`, {
    cause,
    retryable: true,
  });
}

/** Whatever was thrown in the child, as an error with a code. */
export function serviceErrorOf(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const message = messageOf(error);
  return isOutOfMemory(message) ? errorOfHunger(error) : new ServiceError('internal', message, { cause: error });
}
