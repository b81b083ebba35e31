import { errnoOf, FAILURE_CODES, messageOf, ServiceError, type ErrorCode, type FailureCode } from '../errors.ts';

/**
 * What an error means for the job it met:
 *
 * - `video`: it would happen again with this video. The job fails for good.
 * - `attempt`: it befell this attempt. The job is interrupted, and the attempt counts.
 * - `environment`: the machine refuses. The job waits without losing an attempt, and so does its worker.
 */
export type ErrorClass = 'video' | 'attempt' | 'environment';

export interface Classified {
  readonly kind: ErrorClass;
  readonly code: ErrorCode & (FailureCode | 'store_unavailable');
  /** For clients: names no path of the machine. */
  readonly message: string;
}

/** The errors that are final, and the code with which they fail a job. */
const VIDEO: ReadonlyMap<ErrorCode, FailureCode> = new Map([
  ['invalid_video', 'invalid_video'],
  ['too_large', 'too_large'],
  ['memory_limit', 'memory_limit'],
  ['timeout', 'timeout'],
  ['input_missing', 'input_missing'],
  ['file_missing', 'input_missing'],
  // The pipelines are read at the start: the next attempt would find the same ones.
  ['unknown_pipeline', 'internal'],
  ['invalid_pipeline', 'internal'],
  ['invalid_model', 'internal'],
]);

const ENVIRONMENT = ['store_unavailable', 'storage_full', 'storage_unavailable', 'child_unavailable'] as const;
/** Where the message of the error quotes what a library or a process printed, which is for the log. */
const CLIENT_MESSAGES: ReadonlyMap<ErrorCode, string> = new Map([
  ['store_unavailable', 'the job database cannot be read or written now'],
  ['child_unavailable', 'no process to analyse videos can be started now'],
]);

/** Errors of the operating system that say nothing of a video: access, descriptors, memory, disk, folders, mounts. */
const ENVIRONMENT_ERRNOS: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EAGAIN',
  'EBUSY',
  'EIO',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'ENOENT',
  'ENOTDIR',
  'ENODEV',
  'ENXIO',
  'ESTALE',
  'ETIMEDOUT',
]);
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** The only place that decides which kind of error it is. What is not known here is of the attempt. */
export function classify(error: unknown): Classified {
  const code = error instanceof ServiceError ? error.code : 'internal';
  const message = CLIENT_MESSAGES.get(code) ?? withoutPaths(messageOf(error));
  const final = VIDEO.get(code);
  if (final !== undefined) return { kind: 'video', code: final, message };
  const environment = ENVIRONMENT.find((known) => known === code);
  if (environment !== undefined) return { kind: 'environment', code: environment, message };
  const errno = code === 'internal' ? errnoIn(error) : undefined;
  if (errno !== undefined && ENVIRONMENT_ERRNOS.has(errno)) {
    return { kind: 'environment', code: FULL.has(errno) ? 'storage_full' : 'storage_unavailable', message };
  }
  return { kind: 'attempt', code: FAILURE_CODES.find((known) => known === code) ?? 'internal', message };
}

/** The code of the first error of the operating system among an error and its causes. */
function errnoIn(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    const errno = errnoOf(at);
    if (errno !== undefined) return errno;
  }
  return undefined;
}

/** Replaces absolute paths, quoted or bare, by an ellipsis. */
function withoutPaths(message: string): string {
  return message.replaceAll(/(['"`])(?:\/|[A-Za-z]:\\).*?\1/g, '…').replaceAll(/(?<=^|[\s(=])\/[^\s'"`),:;]+/g, '…');
}
