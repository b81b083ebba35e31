import { messageOf, ServiceError } from '../errors.ts';

/** How a child process ended. */
export interface ChildDeath {
  /** Null if it exited by itself. */
  readonly signal: string | null;
  readonly exitCode: number | null;
  /** The end of its output. */
  readonly output: string;
}

/**
 * Messages of V8, the C++ library, FFmpeg (`AVERROR(ENOMEM)`) and onnxruntime about a refused allocation, which is how
 * a memory bomb ends under a hard limit.
 */
const OUT_OF_MEMORY =
  /out of memory|bad_alloc|cannot allocate memory|failed to allocate memory|allocation failed|ERR_WORKER_OUT_OF_MEMORY|OOM error/i;

/** System errors of a fork that may succeed a moment later. */
const PASSING_REFUSALS: ReadonlySet<string> = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);

/** Characters of a child's output that a message quotes. */
const QUOTED_CHARACTERS = 600;

const NOT_STARTED = 'A process to analyse videos could not be started';

function isOutOfMemory(text: string): boolean {
  return OUT_OF_MEMORY.test(text);
}

/** Returns the error of a child that ran out of memory. Another child may need less, see `ProcessPool.run`. */
export function memoryLimitError(cause?: unknown): ServiceError {
  return new ServiceError('memory_limit', 'the analysis of this video needs more memory than is allowed', { cause });
}

/** Returns the error of a video whose analysis needs too much memory even in the most frugal mode. */
export function errorOfMemoryLimit(memoryBytes: number, cause: unknown): ServiceError {
  return new ServiceError(
    'memory_limit',
    `The analysis of this video needs more memory than the ${Math.floor(memoryBytes / 1e6)} MB that CHILD_MEMORY_BYTES ` +
      'allows, even with one inference thread and one frame at a time: raise CHILD_MEMORY_BYTES, or scale the video down',
    { cause },
  );
}

/** Returns the error of a child that died during a job. `nearLimit`: the child last used most of its allowed memory. */
export function crashError(death: ChildDeath, nearLimit: boolean): ServiceError {
  const cause = new Error(death.output.trim() || 'the process printed nothing');
  if (nearLimit || isOutOfMemory(death.output)) return memoryLimitError(cause);
  return new ServiceError('decoder_crashed', `the process that analysed the video died (${endOf(death)})`, {
    cause,
    retryable: true,
  });
}

/** Returns the error of a refused fork. Retryable if the cause may pass. */
export function errorOfRefusedFork(cause: unknown): ServiceError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const retryable = PASSING_REFUSALS.has(code);
  return new ServiceError('child_unavailable', `${NOT_STARTED}: ${messageOf(cause)}`, { cause, retryable });
}

/**
 * Returns the error of a child that died before it was ready. Its message quotes the child's output, so it is only for
 * the log.
 */
export function errorOfDeathAtStart(death: ChildDeath): ServiceError {
  const printed = death.output.trim();
  const quoted = printed === '' ? 'it printed nothing' : `it printed: ${printed.slice(-QUOTED_CHARACTERS)}`;
  return new ServiceError('child_unavailable', `${NOT_STARTED}: it ended with ${endOf(death)}; ${quoted}`);
}

/** Returns the error of a living child that made no progress during its start. */
export function errorOfStalledStart(idleMs: number): ServiceError {
  return new ServiceError('child_unavailable', `${NOT_STARTED}: it made no progress for ${idleMs / 1000} seconds`, {
    retryable: true,
  });
}

/** Returns the error that a child reported for its start. */
export function errorOfFailedStart(failure: unknown): ServiceError {
  const isVerdict = failure instanceof ServiceError && ['invalid_model', 'invalid_pipeline'].includes(failure.code);
  if (isVerdict && !isOutOfMemory(failure.message)) return failure;
  return new ServiceError('child_unavailable', `${NOT_STARTED}: ${messageOf(failure)}`, { cause: failure });
}

/** Returns anything thrown in the child as an error with a code. */
export function serviceErrorOf(error: unknown): ServiceError {
  // A model that gets no memory is not an invalid model.
  if (error instanceof ServiceError && (error.code !== 'invalid_model' || !isOutOfMemory(error.message))) return error;
  const message = messageOf(error);
  return isOutOfMemory(message) ? memoryLimitError(error) : new ServiceError('internal', message, { cause: error });
}

function endOf({ signal, exitCode }: ChildDeath): string {
  return signal ?? `exit code ${exitCode ?? 'unknown'}`;
}
