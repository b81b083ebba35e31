import { messageOf, ServiceError } from '../errors.ts';

/** How a child process ended. */
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

/** System errors of a fork that may succeed a moment later. */
const PASSING_REFUSALS: ReadonlySet<string> = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);

/** Characters of a child's output that are part of a message. */
const QUOTED_CHARACTERS = 600;

const NOT_STARTED = 'A process to analyse videos could not be started';

function isOutOfMemory(text: string): boolean {
  return OUT_OF_MEMORY.test(text);
}

/** A child ran out of memory. Another may need less, see `ProcessPool.run`. */
export function memoryLimitError(cause?: unknown): ServiceError {
  return new ServiceError('memory_limit', 'the analysis of this video needs more memory than is allowed', { cause });
}

/** The verdict on a video whose analysis needed too much memory in the most frugal way, too. */
export function errorOfMemoryLimit(memoryBytes: number, cause: unknown): ServiceError {
  return new ServiceError(
    'memory_limit',
    `The analysis of this video needs more memory than the ${Math.floor(memoryBytes / 1e6)} MB that CHILD_MEMORY_BYTES ` +
      'allows, even with one inference thread and one frame at a time: raise CHILD_MEMORY_BYTES, or scale the video down',
    { cause },
  );
}

/** The verdict on a death during a job. `nearLimit`: the child was last seen with most of its allowed memory in use. */
export function crashError(death: ChildDeath, nearLimit: boolean): ServiceError {
  const cause = new Error(death.output.trim() || 'the process printed nothing');
  if (nearLimit || isOutOfMemory(death.output)) return memoryLimitError(cause);
  return new ServiceError('decoder_crashed', `the process that analysed the video died (${endOf(death)})`, {
    cause,
    retryable: true,
  });
}

/** The system refused a new process. Retryable when that may pass. */
export function errorOfRefusedFork(cause: unknown): ServiceError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const retryable = PASSING_REFUSALS.has(code);
  return new ServiceError('child_unavailable', `${NOT_STARTED}: ${messageOf(cause)}`, { cause, retryable });
}

/** A child died before it was ready. Its message quotes what the child printed, and is for the log. */
export function errorOfDeathAtStart(death: ChildDeath): ServiceError {
  const printed = death.output.trim();
  const quoted = printed === '' ? 'it printed nothing' : `it printed: ${printed.slice(-QUOTED_CHARACTERS)}`;
  return new ServiceError('child_unavailable', `${NOT_STARTED}: it ended with ${endOf(death)}; ${quoted}`);
}

/** A child lives, and has made no progress towards being ready. */
export function errorOfStalledStart(idleMs: number): ServiceError {
  return new ServiceError('child_unavailable', `${NOT_STARTED}: it made no progress for ${idleMs / 1000} seconds`, {
    retryable: true,
  });
}

/** A living child answered that it cannot start. */
export function errorOfFailedStart(failure: unknown): ServiceError {
  const isVerdict = failure instanceof ServiceError && ['invalid_model', 'invalid_pipeline'].includes(failure.code);
  if (isVerdict && !isOutOfMemory(failure.message)) return failure;
  return new ServiceError('child_unavailable', `${NOT_STARTED}: ${messageOf(failure)}`, { cause: failure });
}

/** Anything thrown in the child, as an error with a code. */
export function serviceErrorOf(error: unknown): ServiceError {
  // A model that gets no memory is no bad model.
  if (error instanceof ServiceError && (error.code !== 'invalid_model' || !isOutOfMemory(error.message))) return error;
  const message = messageOf(error);
  return isOutOfMemory(message) ? memoryLimitError(error) : new ServiceError('internal', message, { cause: error });
}

function endOf({ signal, exitCode }: ChildDeath): string {
  return signal ?? `exit code ${exitCode ?? 'unknown'}`;
}
