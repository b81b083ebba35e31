import { errnoOf, FAILURE_CODES, messageOf, ServiceError, type ErrorCode, type FailureCode } from '../errors.ts';

/**
 * What an error means for its job:
 * - `video`: it would occur again with this video. The job fails.
 * - `attempt`: it concerns this attempt. The job is interrupted and loses an attempt.
 * - `environment`: the machine refuses. The job and its worker wait; no attempt is lost.
 */
export type ErrorClass = 'video' | 'attempt' | 'environment';

export interface Classified {
  readonly kind: ErrorClass;
  readonly code: ErrorCode & (FailureCode | 'store_unavailable');
  /** For clients. Contains no path of the machine. */
  readonly message: string;
}

/** Final errors and the failure code of each. */
const VIDEO: ReadonlyMap<ErrorCode, FailureCode> = new Map([
  ['invalid_video', 'invalid_video'],
  ['too_large', 'too_large'],
  ['memory_limit', 'memory_limit'],
  ['timeout', 'timeout'],
  ['input_missing', 'input_missing'],
  ['file_missing', 'input_missing'],
  // Pipelines are read at start, so the next attempt would find the same ones.
  ['unknown_pipeline', 'internal'],
  ['invalid_pipeline', 'internal'],
  ['invalid_model', 'internal'],
]);

const ENVIRONMENT = ['store_unavailable', 'storage_full', 'storage_unavailable', 'child_unavailable'] as const;
/** The message quotes output of a library or process, which only belongs in the log. */
const CLIENT_MESSAGES: ReadonlyMap<ErrorCode, string> = new Map([
  ['store_unavailable', 'the job database cannot be read or written now'],
  ['child_unavailable', 'no process to analyse videos can be started now'],
]);

/** Errors of the operating system that do not concern the video: access, descriptors, memory, disk, folders, mounts. */
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

/** Classifies an error. An unknown error counts as `attempt`. */
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

/** Returns the code of the first operating system error among an error and its causes. */
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
